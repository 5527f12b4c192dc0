# The same machine, started anew: it was switched off with all of it running.
. ./steps.sh

[ "$(property tidemark ActiveState)" = active ]
[ "$(property tidemark NRestarts)" = 0 ]
grep -q '^/dev/nbd0 /srv/data ext4 ' /proc/mounts
[ "$(cat /srv/data/second /srv/data/third)" = "$(printf 'a second letter\na third letter')" ]
step "protected and attached from the start on"
tidemark status --json | grep -q '"problems":\[\]'
open_then
tidemark attach then --mount /srv/then
[ "$(cat /srv/then/letter)" = "dear reader" ]
tidemark detach then
step "what was before is still a point"
