# shellcheck shell=sh disable=SC2034,SC2154
# Functions that alone can change a host. They are defined in the subshell of one write frame and end with it; the
# read side's prelude is already there (kf_f, kf_mark, kf_token, kf_identity, kf_as, kf_run, kf_test_*, at).
# POSIX sh as dash, bash, busybox ash and mksh run it, with GNU or busybox tools. No here-documents, no `local`.
# A function that does a part of a change returns 0, or 1 with kf_says, kf_step and kf_detail set.
#
# Words. A *firm* directory has only trusted ancestors: nobody but root can move it. A *closed* one is firm and only
# root writes in it. Any other is contested: its owner acts between any two of our steps. What we make is finished in
# a *stage*, a root-only folder in a trusted ancestor on the same mount, and appears by one rename(2).
#
# Files are made by `true >FILE`: `:` is a special builtin, and a redirection of one that fails ends the shell.
#
# A line that ends in `guard:NAME` is what an attack of that name fails on; test/attack takes each away in turn.

kf_dir=/run/kmsfleet
kf_says='' kf_step='' kf_detail='' kf_output='' kf_exit='' kf_here='' kf_closed='' kf_firm='' kf_log='' kf_in='' kf_hand='' kf_s='' kf_stem=.kmsfleet. kf_fresh=yes
kf_closed_ones=$NL kf_unsynced=$NL

kf_fail() { kf_says=failed kf_step=$1 kf_detail=$2; return 1; }
kf_moved() { kf_says=conflict kf_step='' kf_detail=$1; return 1; }

# kf_text TEXT: printf is no builtin of mksh
if [ -n "${KSH_VERSION-}" ]; then
  # shellcheck disable=SC3045,SC2039
  kf_text() { print -rn -- "$1"; }
else
  kf_text() { printf %s "$1"; }
fi

# kf_try STEP ARGV...: what the program says is the detail of the failure, or the result. kf_status: its exit status
# where it failed.
kf_try() {
  kf_step=$1
  shift
  kf_detail=$("$@" 2>&1) && return 0
  kf_status=$? kf_says=failed
  return 1
}
