#!/bin/sh
# Runs kido or dagster, by the name of this file, as the services do: with their settings.
# Installed as /usr/local/bin/kido, with a link /usr/local/bin/dagster to it.
set -eu
set -a
. /etc/kido/kido.env
set +a
cd /opt/kido
exec "/opt/kido/.venv/bin/$(basename "$0")" "$@"
