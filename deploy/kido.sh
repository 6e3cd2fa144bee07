#!/bin/sh
# Runs kido or dagster, by the name of this file, as the services do: with their settings.
# Installed as /usr/local/bin/kido, with a link /usr/local/bin/dagster to it.
set -eu
set -a
. /etc/kido/kido.env
set +a
# dagster finds the code by workspace.yaml. kido stays where the caller is, for the paths he gives;
# a folder that the user kido may not enter would stop it.
if [ "$(basename "$0")" = dagster ] || ! [ -x . ]; then
    cd /opt/kido
fi
exec "/opt/kido/.venv/bin/$(basename "$0")" "$@"
