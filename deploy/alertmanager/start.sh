#!/bin/sh
# Starts Alertmanager with what is configured: nothing, Slack, mail, or both.
#
#   RUSHLIGHT_ALERTS_SLACK_URL       an incoming webhook of Slack
#   RUSHLIGHT_ALERTS_SMTP_HOST       host:port of a mail server
#   RUSHLIGHT_ALERTS_SMTP_USER, …_PASSWORD, …_TLS (true unless false)
#   RUSHLIGHT_ALERTS_MAIL_FROM, RUSHLIGHT_ALERTS_MAIL_TO
#
# Each may be a file instead: the same name with _FILE behind it. Secrets are never written into the
# configuration, which Alertmanager shows to whoever asks. Options go on to Alertmanager. With
# RENDER_ONLY=true the configuration is made in $FOLDER and nothing is started.
set -eu
umask 077

FOLDER=${FOLDER:-/tmp/rushlight-alertmanager}
HERE=$(dirname "$0")
PREFIX=RUSHLIGHT_ALERTS

# The value of a variable, or of the file that NAME_FILE names; empty when there is neither.
value() {
  eval "direct=\${${PREFIX}_$1:-}" "file=\${${PREFIX}_$1_FILE:-}"
  if [ -z "$direct" ] && [ -n "$file" ]; then direct=$(cat "$file"); fi
  printf '%s' "$direct"
}

slack=$(value SLACK_URL)
SMTP_HOST=$(value SMTP_HOST)
SMTP_USER=$(value SMTP_USER)
password=$(value SMTP_PASSWORD)
SMTP_TLS=$(value SMTP_TLS)
MAIL_FROM=$(value MAIL_FROM)
MAIL_TO=$(value MAIL_TO)
[ "$SMTP_TLS" = false ] || SMTP_TLS=true
MAIL_FROM=${MAIL_FROM:-rushlight@localhost.localdomain}
export FOLDER SMTP_HOST SMTP_USER SMTP_TLS MAIL_FROM MAIL_TO

mkdir -p "$FOLDER"
on=
if [ -n "$slack" ]; then
  on="$on slack"
  printf '%s' "$slack" >"$FOLDER/slack-url"
fi
if [ -n "$SMTP_HOST" ] && [ -n "$MAIL_TO" ]; then
  on="$on mail"
  if [ -n "$SMTP_USER" ]; then
    on="$on login"
    printf '%s' "$password" >"$FOLDER/smtp-password"
  fi
elif [ -n "$SMTP_HOST$MAIL_TO" ]; then
  echo "Mail needs both ${PREFIX}_SMTP_HOST and ${PREFIX}_MAIL_TO; it is off." >&2
fi

# Takes the marks of what is on away, and replaces @NAME@ by the variable; a quote in it is doubled.
awk -v on="$on" '
  BEGIN {
    split(on, names, " ")
    for (i in names) is_on[names[i]] = 1
  }
  match($0, /^ *#[a-z]+#/) {
    name = substr($0, 1, RLENGTH)
    gsub(/[ #]/, "", name)
    if (!(name in is_on)) next
    $0 = substr($0, RLENGTH + 1)
  }
  {
    line = $0
    out = ""
    while (match(line, /@[A-Z_]+@/)) {
      text = ENVIRON[substr(line, RSTART + 1, RLENGTH - 2)]
      gsub(/\047/, "\047\047", text)
      out = out substr(line, 1, RSTART - 1) text
      line = substr(line, RSTART + RLENGTH)
    }
    print out line
  }
' "$HERE/alertmanager.yml" >"$FOLDER/alertmanager.yml"

echo "Alertmanager tells:${on:- nobody (alerts are shown, and not sent)}" >&2
if [ "${RENDER_ONLY:-}" = true ]; then exit 0; fi
exec alertmanager --config.file="$FOLDER/alertmanager.yml" "$@"
