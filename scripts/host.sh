#!/usr/bin/env bash
# How ready this host is to run the engine on cores of its own: one line a matter, "ok" or "warn"
# with what to do. Changes nothing; with --apply (as root) it sets what can be set without a reboot.
set -euo pipefail

apply=no
case "${1:-}" in
  "") ;;
  --apply) apply=yes ;;
  *) echo "usage: scripts/host.sh [--apply]" >&2; exit 2 ;;
esac

warnings=0
ok() { printf 'ok    %-16s %s\n' "$1" "$2"; }
warn() { printf 'warn  %-16s %s\n      %-16s -> %s\n' "$1" "$2" "" "$3"; warnings=$((warnings + 1)); }

# The content of a file, or "none" where there is none.
content() { if [[ -r "$1" ]]; then tr '\n' ' ' <"$1" | sed 's/ *$//'; else echo none; fi; }

# Writes a value where --apply was given; says what it did.
set_to() {
  [[ $apply == yes && -w "$2" ]] || return 0
  if printf '%s' "$1" >"$2" 2>/dev/null; then echo "set   $2 = $1"; else echo "warn  $2 refused $1"; fi
}

cpu() {
  local flags missing="" flag
  flags=" $(grep -m1 '^flags' /proc/cpuinfo | cut -d: -f2) "
  for flag in avx avx2 bmi1 bmi2 f16c fma abm movbe xsave; do
    [[ $flags == *" $flag "* ]] || missing+=" $flag"
  done
  if [[ -z $missing ]]; then ok cpu "x86-64-v3, $(nproc) cores for this process"
  else warn cpu "not x86-64-v3: without$missing" "another host: the engine refuses to start here"; fi
  if [[ $flags == *" constant_tsc "* && $flags == *" nonstop_tsc "* ]]; then
    ok tsc "constant, never stops"
  else warn tsc "may change its rate or stop" "another host, or a hypervisor that passes an invariant TSC"; fi
  if [[ $flags == *" hypervisor "* ]]; then
    warn hypervisor "a virtual machine: it takes the cores away now and then" "bare metal, or dedicated cores; watch the gaps in the report"
  else ok hypervisor "none"; fi
}

clock_source() {
  local source
  source=$(content /sys/devices/system/clocksource/clocksource0/current_clocksource)
  case $source in
    tsc | kvm-clock) ok clock "$source" ;;
    *) warn clock "$source" "boot with clocksource=tsc tsc=reliable" ;;
  esac
}

cores() {
  local isolated smt governor path
  isolated=$(content /sys/devices/system/cpu/isolated)
  if [[ -n $isolated && $isolated != none ]]; then ok isolation "cores $isolated"
  else warn isolation "no isolated cores" "boot with isolcpus=managed_irq,domain,2-N nohz_full=2-N rcu_nocbs=2-N"; fi
  smt=$(content /sys/devices/system/cpu/smt/active)
  if [[ $smt == 1 ]]; then
    warn smt "two threads share a core" "echo off > /sys/devices/system/cpu/smt/control, or keep siblings idle"
    set_to off /sys/devices/system/cpu/smt/control
  else ok smt "one thread a core"; fi
  path=/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor
  governor=$(content $path)
  case $governor in
    performance | none) ok governor "$governor" ;;
    *)
      warn governor "$governor" "echo performance > .../cpufreq/scaling_governor of each core"
      for path in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do set_to performance "$path"; done
      ;;
  esac
}

memory() {
  local thp swap huge
  thp=$(content /sys/kernel/mm/transparent_hugepage/enabled)
  case $thp in
    *"[always]"*)
      warn thp "always: the kernel moves pages while we run" "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
      set_to madvise /sys/kernel/mm/transparent_hugepage/enabled
      ;;
    *) ok thp "$thp" ;;
  esac
  huge=$(awk '/HugePages_Total/ {print $2}' /proc/meminfo)
  ok "huge pages" "${huge:-0} reserved; the engine needs none"
  swap=$(($(wc -l </proc/swaps) - 1))
  if ((swap > 0)); then warn swap "$swap areas in use" "swapoff -a, or rely on locked memory (memlock)"
  else ok swap none; fi
}

limits() {
  local memlock rtprio throttle
  memlock=$(ulimit -l)
  if [[ $memlock == unlimited || $EUID == 0 ]]; then ok memlock "$memlock (uid $EUID)"
  else warn memlock "$memlock KiB" "'@trading - memlock unlimited' in /etc/security/limits.conf"; fi
  rtprio=$(ulimit -r)
  if ((rtprio > 0 || EUID == 0)); then ok rtprio "$rtprio (uid $EUID)"
  else warn rtprio "0: no real-time scheduling" "'@trading - rtprio 90' in /etc/security/limits.conf"; fi
  throttle=$(content /proc/sys/kernel/sched_rt_runtime_us)
  if [[ $throttle == -1 ]]; then ok "rt throttle" off
  else warn "rt throttle" "a real-time thread may have $throttle of 1000000 us" "sysctl kernel.sched_rt_runtime_us=-1, with isolated cores only"; fi
}

interrupts() {
  local balancer=no card irq spread=""
  pgrep -x irqbalance >/dev/null 2>&1 && balancer=yes
  if [[ $balancer == yes ]]; then warn irqbalance "runs: interrupts may move to hot cores" "systemctl disable --now irqbalance"
  else ok irqbalance "does not run"; fi
  for card in /sys/class/net/*/device/msi_irqs; do
    [[ -d $card ]] || continue
    for irq in "$card"/*; do
      irq=${irq##*/}
      spread+=" $irq:$(content "/proc/irq/$irq/smp_affinity_list")"
    done
  done
  if [[ -n $spread ]]; then ok "card irqs" "irq:cores$spread; keep them off the hot cores"
  else ok "card irqs" "no card with interrupts of its own"; fi
}

cpu
clock_source
cores
memory
limits
interrupts
if ((warnings)); then echo "$warnings to look at; only a host of one's own can be all ok"; else echo "ready"; fi
