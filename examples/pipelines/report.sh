#!/bin/sh
# report.sh tells Blueberry how a run of a pipeline goes: stages, links, images by digest, and the files that the stages left. Call it at the end of each
# stage, also when the stage failed; what is told of one run is put together.
#
#   report.sh --stage test=passed --junit 'reports/junit*.xml' --coverage 'reports/coverage*'
#
#   --commit SHA            in full; unless given, the one that the CI tells
#   --branch NAME           likewise, and so are --run-id, --run-number, --run-url, --started-at,
#                           --provider, --job and --attempt: a job that runs again has a higher one
#   --pipeline NAME         ci unless given
#   --stage NAME=STATUS[@URL]   passed, failed, skipped or running; also as the CI says it: success, failure, cancelled, canceled
#   --image COMPONENT=REF   of the registry, with its digest: ghcr.io/acme/shop@sha256:…
#   --junit, --coverage, --scan, --lint, --sbom, --file PATTERN   files; quote the pattern. One that fits nothing is passed over
#
# Where to: BLUEBERRY_HOOK, the address that `blueberry repo add` printed (https://blueberry.example.com/hooks/…), signed with the secret in
# BLUEBERRY_CI_SECRET or the file BLUEBERRY_CI_SECRET_FILE. Without them nothing is told, and that is no failure: pull requests of forks have no secrets.
#
# It needs a POSIX shell, curl, and the base64, od, sed, sha256sum and tr of coreutils or BusyBox. The secret is in no argument of a program, which others on
# the machine could read.
set -eu
set +x # a trace would show the secret
LC_ALL=C
export LC_ALL

fail() {
	printf 'report.sh: %s\n' "$1" >&2
	exit "${2:-1}"
}

secret=${BLUEBERRY_CI_SECRET:-}
if [ -z "$secret" ] && [ -n "${BLUEBERRY_CI_SECRET_FILE:-}" ]; then
	secret=$(cat "$BLUEBERRY_CI_SECRET_FILE")
fi
unset BLUEBERRY_CI_SECRET # no program that is called here gets it
hook=${BLUEBERRY_HOOK:-}

# What the CI tells. The merge commit that some of them build is no commit of anybody's branch.
commit='' branch='' run_id='' run_number='' run_url='' started_at='' provider='' job='' attempt='' pipeline=ci
if [ -n "${GITHUB_RUN_ID:-}" ]; then
	provider=github run_id=$GITHUB_RUN_ID run_number=${GITHUB_RUN_NUMBER:-}
	run_url=${GITHUB_SERVER_URL:-}/${GITHUB_REPOSITORY:-}/actions/runs/$GITHUB_RUN_ID
	job=${GITHUB_JOB:-} attempt=${GITHUB_RUN_ATTEMPT:-}
	branch=${GITHUB_HEAD_REF:-${GITHUB_REF_NAME:-}}
	case ${GITHUB_EVENT_NAME:-} in
	pull_request*) ;; # GITHUB_SHA is the merge commit
	*) commit=${GITHUB_SHA:-} ;;
	esac
	if [ -n "${GITEA_ACTIONS:-}${FORGEJO_ACTIONS:-}" ]; then
		provider=gitea run_url=${GITHUB_SERVER_URL:-}/${GITHUB_REPOSITORY:-}/actions/runs/${GITHUB_RUN_NUMBER:-}
	fi
elif [ -n "${CI_PIPELINE_ID:-}" ]; then
	provider=gitlab run_id=$CI_PIPELINE_ID run_number=${CI_PIPELINE_IID:-} run_url=${CI_PIPELINE_URL:-} started_at=${CI_PIPELINE_CREATED_AT:-}
	job=${CI_JOB_NAME:-} attempt=${CI_JOB_ID:-} # a job that is tried again has a higher id
	commit=${CI_MERGE_REQUEST_SOURCE_BRANCH_SHA:-${CI_COMMIT_SHA:-}}
	branch=${CI_MERGE_REQUEST_SOURCE_BRANCH_NAME:-${CI_COMMIT_REF_NAME:-}}
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
: >"$work/stages"
: >"$work/images"
: >"$work/files"

# json prints a text as a JSON string. Control characters, which no name needs, become question marks.
json() {
	printf '"%s"' "$(printf '%s' "$1" | tr '\000-\037\177' '?' | sed 's/[\\"]/\\&/g')"
}

# put prints a field of an object when it has a value.
put() {
	[ -n "$2" ] || return 0
	printf ',"%s":' "$1"
	json "$2"
}

stage() {
	name=${1%%=*} rest=${1#*=} url=''
	if [ -z "$name" ] || [ "$name" = "$1" ]; then
		fail "--stage wants NAME=STATUS, not $1" 2
	fi
	status=${rest%%@*}
	[ "$status" = "$rest" ] || url=${rest#*@}
	case $status in
	success) status=passed ;;
	failure) status=failed ;;
	cancelled | canceled | '') status=skipped ;;
	passed | failed | skipped | running) ;;
	*) fail "--stage $name: $status is none of passed, failed, skipped, running" 2 ;;
	esac
	{
		printf ',{"name":'
		json "$name"
		put status "$status"
		put url "$url"
		printf '}'
	} >>"$work/stages"
}

image() {
	name=${1%%=*}
	if [ -z "$name" ] || [ "$name" = "$1" ]; then
		fail "--image wants COMPONENT=REF@sha256:…, not $1" 2
	fi
	{
		printf ','
		json "$name"
		printf ':'
		json "${1#*=}"
	} >>"$work/images"
}

# files puts in what fits a pattern: regular files that are not empty, and no links, which may lead to what nobody meant to send.
files() {
	kind=$1 found=''
	IFS='' # the pattern is one word
	# shellcheck disable=SC2086 # it is to be expanded
	set -- $2
	unset IFS
	for f; do
		if [ ! -f "$f" ] || [ -L "$f" ] || [ ! -s "$f" ]; then
			continue
		fi
		found=yes
		{
			printf ',{"kind":"%s","name":' "$kind"
			json "$f"
			printf ',"encoding":"base64","content":"'
			base64 <"$f" | tr -d '\r\n'
			printf '"}'
		} >>"$work/files"
	done
	[ -n "$found" ] || printf 'report.sh: no %s file fits %s\n' "$kind" "$*" >&2
}

while [ $# -gt 0 ]; do
	case $1 in
	--commit | --branch | --pipeline | --run-id | --run-number | --run-url | --started-at | --provider | --job | --attempt | --stage | --image | --junit | --coverage | --scan | --lint | --sbom | --file) ;;
	*) fail "$1 is not known" 2 ;;
	esac
	[ $# -gt 1 ] || fail "$1 wants a value" 2
	case $1 in
	--commit) commit=$2 ;;
	--branch) branch=$2 ;;
	--pipeline) pipeline=$2 ;;
	--run-id) run_id=$2 ;;
	--run-number) run_number=$2 ;;
	--run-url) run_url=$2 ;;
	--started-at) started_at=$2 ;;
	--provider) provider=$2 ;;
	--job) job=$2 ;;
	--attempt) attempt=$2 ;;
	--stage) stage "$2" ;;
	--image) image "$2" ;;
	--file) files auto "$2" ;;
	*) files "${1#--}" "$2" ;;
	esac
	shift 2
done
[ -n "$commit" ] || fail "--commit is missing" 2
case $run_number in
*[!0-9]*) fail "--run-number is a number" 2 ;;
esac
case $attempt in
*[!0-9]*) fail "--attempt is a number" 2 ;;
esac
if [ -z "$hook" ] || [ -z "$secret" ]; then
	printf 'report.sh: nothing is told: BLUEBERRY_HOOK or BLUEBERRY_CI_SECRET is not set. Pull requests of forks have none\n' >&2
	exit 0
fi

# body writes the report, with the files that $1 lists.
body() {
	{
		printf '{"commit":'
		json "$commit"
		put branch "$branch"
		put pipeline "$pipeline"
		printf ',"run":{"id":'
		json "$run_id"
		[ -z "$run_number" ] || printf ',"number":%s' "$run_number"
		put job "$job"
		[ -z "$attempt" ] || printf ',"attempt":%s' "$attempt"
		put url "$run_url"
		put provider "$provider"
		put started_at "$started_at"
		printf '},"stages":['
		sed 's/^,//' "$work/stages"
		printf '],"images":{'
		sed 's/^,//' "$work/images"
		printf '},"files":['
		sed 's/^,//' "$1"
		printf ']}'
	} >"$work/body"
}

sha256() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum
	else
		shasum -a 256
	fi | sed 's/ .*//'
}

hex() { od -An -v -tx1 | tr -d ' \n'; }

# bytes prints the bytes that are written in hex in $1, each combined with $2 by exclusive or, and at least $3 of them: what is missing counts as zero.
bytes() {
	left=$1 out='' n=0
	while [ -n "$left" ] || [ "$n" -lt "$3" ]; do
		tail=${left#??}
		byte=${left%"$tail"}
		left=$tail
		byte=$((0x${byte:-0} ^ $2))
		out="$out\\0$((byte / 64))$((byte / 8 % 8))$((byte % 8))"
		n=$((n + 1))
	done
	printf '%b' "$out"
}

# send signs the body and posts it; code is then what the server answers.
#
# The signature is HMAC-SHA256 of the time, a dot and the body (RFC 2104). It is put together from plain SHA-256 because openssl takes keys only as arguments;
# printf is a part of the shell, and no program.
send() {
	at=$(date +%s)
	key=$(printf '%s' "$secret" | hex)
	if [ ${#key} -gt 128 ]; then
		key=$(printf '%s' "$secret" | sha256)
	fi
	inner=$({
		bytes "$key" 54 64
		printf '%s.' "$at"
		cat "$work/body"
	} | sha256)
	signature=$({
		bytes "$key" 92 64
		bytes "$inner" 0 32
	} | sha256)
	code=$(curl --silent --show-error --max-time 60 --retry 4 --retry-connrefused --output "$work/answer" --write-out '%{http_code}' \
		--header 'Content-Type: application/json' --header "X-Blueberry-Timestamp: $at" --header "X-Blueberry-Signature: sha256=$signature" \
		--data-binary "@$work/body" "${hook%/}/ci") || fail "Blueberry does not answer"
}

answer() { head -c 2000 "$work/answer" 2>/dev/null | tr '\000-\037\177' ' '; }

body "$work/files"
send
if [ "$code" = 422 ] && [ -s "$work/files" ]; then
	# Most likely a file that a tool left half written. What became of the stages is told all the same.
	printf 'report.sh: Blueberry answered 422: %s\nreport.sh: telling it again without the files\n' "$(answer)" >&2
	: >"$work/none"
	body "$work/none"
	send
	case $code in
	2??) fail "the files were not taken" ;;
	esac
fi
case $code in
2??) printf 'report.sh: told Blueberry\n' >&2 ;;
*) fail "Blueberry answered $code: $(answer)" ;;
esac
