// libssh.a refers to GSSAPI, which neither end of pgod ever offers. Loading its six shared libraries would
// cost pgoctl a third of its running time, so a pgoctl with a static libssh gets these instead. They say what
// any GSSAPI without a mechanism says, and nothing calls them.
extern "C" {

// GSS_S_UNAVAILABLE, RFC 2744 section 3.9.1
#define PGOD_NO_GSSAPI(function)                                                                             \
    unsigned function() {                                                                                    \
        return 16u << 16;                                                                                    \
    }

PGOD_NO_GSSAPI(gss_accept_sec_context)
PGOD_NO_GSSAPI(gss_acquire_cred)
PGOD_NO_GSSAPI(gss_add_oid_set_member)
PGOD_NO_GSSAPI(gss_create_empty_oid_set)
PGOD_NO_GSSAPI(gss_delete_sec_context)
PGOD_NO_GSSAPI(gss_display_name)
PGOD_NO_GSSAPI(gss_display_status)
PGOD_NO_GSSAPI(gss_get_mic)
PGOD_NO_GSSAPI(gss_import_name)
PGOD_NO_GSSAPI(gss_indicate_mechs)
PGOD_NO_GSSAPI(gss_init_sec_context)
PGOD_NO_GSSAPI(gss_inquire_cred)
PGOD_NO_GSSAPI(gss_inquire_cred_by_mech)
PGOD_NO_GSSAPI(gss_release_buffer)
PGOD_NO_GSSAPI(gss_release_cred)
PGOD_NO_GSSAPI(gss_release_name)
PGOD_NO_GSSAPI(gss_release_oid)
PGOD_NO_GSSAPI(gss_release_oid_set)
PGOD_NO_GSSAPI(gss_test_oid_set_member)
PGOD_NO_GSSAPI(gss_verify_mic)

#undef PGOD_NO_GSSAPI

void* GSS_C_NT_HOSTBASED_SERVICE = nullptr;
void* GSS_C_NT_USER_NAME = nullptr;

} // extern "C"
