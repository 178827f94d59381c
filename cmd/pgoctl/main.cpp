// pgoctl: drives the services of a pgod from afar (pgoctl(1)).
#include "client/client.hpp"

int main(int argc, char** argv) {
    return pgod::client::run_client(argc, argv);
}
