# Installs the three roles on one machine, each with its unit. The remote site's has a folder of its own for its configuration, and one
# for its data.
sh -eu ./install.sh
systemctl disable --now tidemark
rm -r /var/lib/tidemark /etc/tidemark

mkdir /etc/systemd/system/tidemark-remote.service.d
cat > /etc/systemd/system/tidemark-remote.service.d/here.conf << 'END'
[Service]
BindReadOnlyPaths=/etc/tidemark-remote:/etc/tidemark
StateDirectory=tidemark-remote
Environment=TIDEMARK_DATA=/var/lib/tidemark-remote TIDEMARK_STORE_FOLDER=/var/lib/tidemark-remote/objects
Environment=TIDEMARK_HTTP_PORT=7881
END
systemctl daemon-reload
install -d /etc/tidemark-remote
sh -eu ./remote.sh
is_confined tidemark-remote
step "the remote appliance runs"
step "exposure of tidemark-remote: $(exposure tidemark-remote)"

install -d /etc/tidemark
cp /etc/tidemark-remote/token /etc/tidemark-remote/remote-cert.pem /etc/tidemark/
sh -eu ./site.sh
is_confined tidemark-local
is_confined tidemark-interceptor
step "interceptor and local appliance run"
step "exposure of tidemark-local: $(exposure tidemark-local)"
step "exposure of tidemark-interceptor: $(exposure tidemark-interceptor)"
