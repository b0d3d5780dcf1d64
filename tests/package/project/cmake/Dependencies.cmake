# The project's own, which rc3 must not take for its own.
message(FATAL_ERROR "rc3 includes a module of the project that uses it")
