# fish completion of pgoctl(1): options and operations as pgoctl itself lists them; hosts and groups out of its
# config.toml and of known_hosts. Asks no server.

function __pgoctl_hosts
    set -l directory $HOME/.config
    set -q XDG_CONFIG_HOME; and set directory $XDG_CONFIG_HOME
    set -l config $directory/pgoctl/config.toml
    test -r $config; and sed -n 's/^[[:space:]]*\[hosts\."\{0,1\}\([^]"]*\)"\{0,1\}\].*/\1/p
        /^[[:space:]]*\[groups\]/,/^[[:space:]]*\[hosts/s/^[[:space:]]*\([a-z0-9][a-z0-9-]*\)[[:space:]]*=.*/@\1/p' $config
    test -r $HOME/.ssh/known_hosts
    and sed -n '/^[|#@]/d; s/[[:space:]].*//; s/,/\n/g; p' $HOME/.ssh/known_hosts |
        sed -n 's/^\[\([^]:*?!]*\)\]:[0-9]*$/\1/p'
end

function __pgoctl_targets
    set -l word (commandline -ct)
    if string match -q '*//*' -- $word
        set -l before (string replace -r '//.*' '//' -- $word)
        pgoctl --help | sed -n '/^Operations:/,/^$/s/^  \([a-z][a-z]*\) *\(.*\)/\1\t\2/p' | string replace -r '^' -- $before
    else if string match -q '*:?*' -- $word
        echo $word//
    else
        set -l before (string match -r '.*,' -- $word; or echo '')
        for host in (__pgoctl_hosts | sort -u)
            echo $before$host:
        end
    end
end

# The target ends pgoctl's own options; behind it everything is the operation's.
function __pgoctl_before_target
    not string match -q '*//*' -- (commandline -opc)
end

complete -c pgoctl -f
complete -c pgoctl -n __pgoctl_before_target -a '(__pgoctl_targets)'
complete -c pgoctl -n __pgoctl_before_target -s i -l identity -r -F -d 'private key'
complete -c pgoctl -n __pgoctl_before_target -l known-hosts -r -F -d 'instead of ~/.ssh/known_hosts'
complete -c pgoctl -n __pgoctl_before_target -l control -r -F -d "this host's control socket"
complete -c pgoctl -n __pgoctl_before_target -s p -l port -x -d 'port of pgod'
complete -c pgoctl -n __pgoctl_before_target -l host-key -x -d 'the only host key to accept'
complete -c pgoctl -n __pgoctl_before_target -l timeout -x -d 'for connecting and logging in'
complete -c pgoctl -n __pgoctl_before_target -l json -d 'ask for JSON'
complete -c pgoctl -n __pgoctl_before_target -l plain -d 'only lines of output'
complete -c pgoctl -n __pgoctl_before_target -l watch -d 'look every two seconds'
complete -c pgoctl -n __pgoctl_before_target -l ssh-config -d 'take what ~/.ssh/config says of the host'
complete -c pgoctl -n __pgoctl_before_target -l accept-new -d 'accept and remember the host key of a new host'
complete -c pgoctl -n __pgoctl_before_target -s v -l verbose -d 'say what is tried'
complete -c pgoctl -n __pgoctl_before_target -s h -l help -d 'print a summary'
complete -c pgoctl -n __pgoctl_before_target -l version -d 'print the version'
