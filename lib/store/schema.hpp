// The form of state.db: what its tables are, and how a file of an earlier pgod becomes one of this.
#pragma once

#include "store/statement.hpp"

namespace pgod::store {

// Makes the tables of a new file, or brings those of an earlier version forward; all of it or nothing. A file
// of a newer pgod is refused (Code::permanent) and left alone.
Status bring_forward(sqlite3* database);

} // namespace pgod::store
