#!/bin/sh
# Writes verified backups of the database of DATABASE_URL, with the time in their names, and removes old ones.
#
#   BACKUP_FOLDER   where they are written (/backups)
#   BACKUP_EVERY    seconds between two backups (86400); 0 writes one and ends, for cron and Kubernetes
#   BACKUP_KEEP     how many are kept (14)
#
# After a failure it tries again in five minutes, and removes nothing.
set -eu
folder=${BACKUP_FOLDER:-/backups} every=${BACKUP_EVERY:-86400} keep=${BACKUP_KEEP:-14}
case $every$keep in *[!0-9]*) echo 'BACKUP_EVERY and BACKUP_KEEP are whole numbers' >&2; exit 2 ;; esac
[ "$keep" -gt 0 ] || { echo 'BACKUP_KEEP is at least 1' >&2; exit 2; }
sleeper=
trap '[ -z "$sleeper" ] || kill "$sleeper"; exit 0' TERM INT
# What a backup leaves behind that was killed: a reserved name without content, and a part.
find "$folder" -name 'errand-*.backup' -size 0 -exec rm -f {} +
find "$folder" -name 'errand-*.backup.partial' -exec rm -f {} +

# The names ascend with time.
remove_old() {
  set -- "$folder"/errand-*.backup
  while [ $# -gt "$keep" ]; do
    rm -f -- "$1"
    shift
  done
}

while :; do
  pause=$every
  if errand backup "$folder/errand-$(date -u +%Y-%m-%dT%H-%M-%SZ).backup"; then
    remove_old
  elif [ "$every" -eq 0 ]; then
    exit 1
  else
    echo 'the backup failed; the next attempt is in five minutes' >&2
    pause=$((every < 300 ? every : 300))
  fi
  [ "$every" -gt 0 ] || exit 0
  sleep "$pause" &
  sleeper=$!
  wait "$sleeper"
done
