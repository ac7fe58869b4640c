module devloop.invalid/toolchain/node-network

go 1.24
