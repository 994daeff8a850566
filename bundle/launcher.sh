#!/bin/sh
# Starts @NAME@ out of the folder in which this file lies, wherever that is. Needs no other program, not even a PATH.
self=$0
case $self in
  */*) ;;
  *) self=./$self ;; # as in `sh @NAME@`
esac
if [ -h "$self" ]; then
  # A link to this file; readlink is where every system has it, whatever PATH says.
  for readlink in /usr/bin/readlink /bin/readlink; do
    if [ -x "$readlink" ]; then
      self=$("$readlink" -f -- "$self")
      break
    fi
  done
fi
here=$(CDPATH='' cd -P -- "${self%/*}" && pwd) || exit 1
. "$here/lib/setup.sh"
case " $* " in
  @GPU@) tell_driver ;;
esac
exec "$here/bin/node" "$here/app/@SCRIPT@" "$@"
