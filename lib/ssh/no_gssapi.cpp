// libssh and libgit2 refer to GSSAPI, which no part of pgod ever offers or accepts. Its six shared libraries
// (Kerberos) would be a third of pgoctl's running time and a third of all mappings that pgod-ssh and pgod-git
// copy at each fork. So they get these instead: pgoctl with a static libssh from an archive, pgod-ssh and
// pgod-git as a library of the same name in a directory of their own; without that file the system's one is
// loaded. They say what any GSSAPI without a mechanism says, and nothing calls them. All of RFC 2744's
// functions and some, so that an update of libssh or libgit2 still finds what it links to.
extern "C" {

// GSS_S_UNAVAILABLE, RFC 2744 section 3.9.1
#define PGOD_NO_GSSAPI(function)                                                                             \
    unsigned function() {                                                                                    \
        return 16u << 16;                                                                                    \
    }

PGOD_NO_GSSAPI(gss_accept_sec_context)
PGOD_NO_GSSAPI(gss_acquire_cred)
PGOD_NO_GSSAPI(gss_add_buffer_set_member)
PGOD_NO_GSSAPI(gss_add_cred)
PGOD_NO_GSSAPI(gss_add_oid_set_member)
PGOD_NO_GSSAPI(gss_canonicalize_name)
PGOD_NO_GSSAPI(gss_compare_name)
PGOD_NO_GSSAPI(gss_context_time)
PGOD_NO_GSSAPI(gss_create_empty_buffer_set)
PGOD_NO_GSSAPI(gss_create_empty_oid_set)
PGOD_NO_GSSAPI(gss_delete_sec_context)
PGOD_NO_GSSAPI(gss_display_name)
PGOD_NO_GSSAPI(gss_display_status)
PGOD_NO_GSSAPI(gss_duplicate_name)
PGOD_NO_GSSAPI(gss_export_name)
PGOD_NO_GSSAPI(gss_export_sec_context)
PGOD_NO_GSSAPI(gss_get_mic)
PGOD_NO_GSSAPI(gss_import_name)
PGOD_NO_GSSAPI(gss_import_sec_context)
PGOD_NO_GSSAPI(gss_indicate_mechs)
PGOD_NO_GSSAPI(gss_init_sec_context)
PGOD_NO_GSSAPI(gss_inquire_context)
PGOD_NO_GSSAPI(gss_inquire_cred)
PGOD_NO_GSSAPI(gss_inquire_cred_by_mech)
PGOD_NO_GSSAPI(gss_inquire_mechs_for_name)
PGOD_NO_GSSAPI(gss_inquire_name)
PGOD_NO_GSSAPI(gss_inquire_names_for_mech)
PGOD_NO_GSSAPI(gss_oid_to_str)
PGOD_NO_GSSAPI(gss_process_context_token)
PGOD_NO_GSSAPI(gss_release_buffer)
PGOD_NO_GSSAPI(gss_release_buffer_set)
PGOD_NO_GSSAPI(gss_release_cred)
PGOD_NO_GSSAPI(gss_release_name)
PGOD_NO_GSSAPI(gss_release_oid)
PGOD_NO_GSSAPI(gss_release_oid_set)
PGOD_NO_GSSAPI(gss_set_neg_mechs)
PGOD_NO_GSSAPI(gss_str_to_oid)
PGOD_NO_GSSAPI(gss_test_oid_set_member)
PGOD_NO_GSSAPI(gss_unwrap)
PGOD_NO_GSSAPI(gss_verify_mic)
PGOD_NO_GSSAPI(gss_wrap)
PGOD_NO_GSSAPI(gss_wrap_size_limit)

#undef PGOD_NO_GSSAPI

void* GSS_C_NT_ANONYMOUS = nullptr;
void* GSS_C_NT_EXPORT_NAME = nullptr;
void* GSS_C_NT_HOSTBASED_SERVICE = nullptr;
void* GSS_C_NT_HOSTBASED_SERVICE_X = nullptr;
void* GSS_C_NT_MACHINE_UID_NAME = nullptr;
void* GSS_C_NT_STRING_UID_NAME = nullptr;
void* GSS_C_NT_USER_NAME = nullptr;

} // extern "C"
