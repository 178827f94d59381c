# bash completion of pgoctl(1): options and operations as pgoctl itself lists them; hosts and groups out of its
# config.toml and of known_hosts. Asks no server.

_pgoctl_hosts() {
    local config=${XDG_CONFIG_HOME:-$HOME/.config}/pgoctl/config.toml
    [[ -r $config ]] && sed -n 's/^[[:space:]]*\[hosts\."\{0,1\}\([^]"]*\)"\{0,1\}\].*/\1/p
        /^[[:space:]]*\[groups\]/,/^[[:space:]]*\[hosts/s/^[[:space:]]*\([a-z0-9][a-z0-9-]*\)[[:space:]]*=.*/@\1/p' "$config"
    [[ -r $HOME/.ssh/known_hosts ]] &&
        sed -n '/^[|#@]/d; s/[[:space:]].*//; s/,/\n/g; p' "$HOME/.ssh/known_hosts" |
        sed -n 's/^\[\([^]:*?!]*\)\]:[0-9]*$/\1/p'
}

_pgoctl() {
    local line=${COMP_LINE:0:COMP_POINT}
    local word=${line##*[[:space:]]} target='' previous='' candidates='' i
    # The target ends pgoctl's own options; behind it everything is the operation's.
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == *//* ]] && target=${COMP_WORDS[i]}
    done
    line=${line%"$word"}
    read -r -a i <<<"$line"
    ((${#i[@]})) && previous=${i[${#i[@]} - 1]}
    COMPREPLY=()
    if [[ -n $target && $word != *//* ]]; then
        return
    fi
    case $previous in
    -i | --identity | --known-hosts | --control)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    -p | --port | --timeout | --host-key) return ;;
    esac
    if [[ $word == -* ]]; then
        candidates=$(pgoctl --help | sed -n '/^Options:/,/^$/s/^  \(-[^ ]*\) .*/\1/p' | tr ',' '\n')
    elif [[ $word == *//* ]]; then
        candidates=$(pgoctl --help | sed -n "/^Operations:/,/^\$/s|^  \([a-z][a-z]*\) .*|${word%%//*}//\1|p")
    elif [[ $word == *:?* && $word != *] ]]; then # a service: its operations are next
        candidates=$word//
        compopt -o nospace 2>/dev/null
    else
        local before=''
        [[ $word == *,* ]] && before=${word%,*},
        candidates=$(_pgoctl_hosts | sort -u | sed "s|.*|$before&:|")
        compopt -o nospace 2>/dev/null
    fi
    mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
    # readline takes only what follows the last of its word breaks for the word, and replaces only that; an "@"
    # begins a word.
    local typed=$word
    while [[ -n $typed && $COMP_WORDBREAKS != *"${typed: -1}"* ]]; do
        typed=${typed%?}
    done
    typed=${typed%@}
    COMPREPLY=("${COMPREPLY[@]#"$typed"}")
}

complete -F _pgoctl pgoctl
