#!/bin/sh
# An OCI runtime for hosts whose capability bounding set lacks CAP_SYS_RESOURCE: runc, asked for what the host can give.
#
# Docker's --privileged, which Kind's nodes need, asks for every capability there is, and runc refuses to start a process with one that it
# cannot give. So this takes that one out of what runc is about to read: config.json in the bundle (create, run), the file after --process
# (exec). A negative oomScoreAdj needs the same capability. The rest goes to runc as it came. It is called for every start and every exec, so
# it is quick rather than clever: the engine writes those files as JSON without spaces. scripts/prepare_test_host.sh installs it where needed.
set -eu

bundle=. process='' command='' previous=''
for argument; do
    case $previous in
    --bundle | -b) bundle=$argument ;;
    --process | -p) process=$argument ;;
    esac
    case $argument in
    --bundle=*) bundle=${argument#*=} ;;
    --process=*) process=${argument#*=} ;;
    create | run | exec) command=${command:-$argument} ;;
    esac
    previous=$argument
done

case $command in
create | run) file=$bundle/config.json ;;
exec) file=$process ;;
*) file='' ;;
esac

if [ -n "$file" ] && [ -f "$file" ]; then
    sed -i -e 's/,"CAP_SYS_RESOURCE"//g' -e 's/"CAP_SYS_RESOURCE",\{0,1\}//g' -e 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/g' "$file"
fi
exec runc "$@"
