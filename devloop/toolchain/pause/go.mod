module devloop.invalid/toolchain/pause

go 1.24
