#!/bin/sh
# The machine's first file system: finds its disk, and hands over to the systemd that is on it.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
exec < /dev/console > /dev/console 2>&1
while read -r module; do
  insmod "/modules/$module"
done < /modules/order
until [ -b /dev/vda ]; do sleep 0.1; done
mount -t ext4 /dev/vda /system
for folder in dev proc sys; do
  mount -o move "/$folder" "/system/$folder"
done
exec switch_root /system /lib/systemd/systemd
