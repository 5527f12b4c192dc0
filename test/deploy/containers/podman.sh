# Podman with all that it keeps in the folder $SCRATCH. Its limits are lower than what it would take by itself, which not every
# machine lets it have, and runc is what knows both kinds of cgroups.
export CONTAINERS_STORAGE_CONF="$SCRATCH/storage.conf"
export CONTAINERS_CONF="$SCRATCH/containers.conf"
cat > "$CONTAINERS_STORAGE_CONF" << END
[storage]
driver = "vfs"
graphroot = "$SCRATCH/storage"
runroot = "$SCRATCH/run"
END
cat > "$CONTAINERS_CONF" << END
[containers]
cgroupns = "host"
default_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$SCRATCH/tmp"
volume_path = "$SCRATCH/volumes"
END

clean_up() {
  podman rm --all --force --time 10 > "$SCRATCH/removed" 2>&1 || cat "$SCRATCH/removed"
  rm -rf "$SCRATCH"
}

step() {
  echo "$(date +%T) $*"
}
