"""Level `pipeline`: LLVM's passes, their order and parameters, options, and the kind of link."""
