#!/bin/sh
# The guest's first process. The kernel hands over as environment what it does not know from its command line: the script
# to run, and the script's settings.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec < /dev/console > /dev/console 2>&1

while read -r module; do
  insmod "/modules/$module" || echo "GUEST: failed to load $module"
done < /modules/order
ip link set lo up
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0

if sh -e "/scripts/$SCRIPT"; then
  echo "GUEST: done"
else
  echo "GUEST: failed after the step above"
  dmesg | tail -n 30
fi
sync
poweroff -f
