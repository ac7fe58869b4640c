#!/bin/sh
# An OCI runtime for hosts whose capability bounding set lacks CAP_SYS_RESOURCE: runc, without that capability.
#
# Docker's --privileged, which Kind's nodes need, requests all capabilities, and runc refuses to start a process with one that the host
# denies. So this removes it from the file that runc reads: config.json in the bundle (create, run) or the file after --process (exec). A
# negative oomScoreAdj needs the same capability. Everything else goes to runc unchanged. It runs for every start and exec, so it has to be
# fast: sed suffices, since the engine writes these files as JSON without spaces. Installed by scripts/prepare_test_host.sh.
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
