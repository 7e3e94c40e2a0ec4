# Rolecall in bash: use-role, and the role in the prompt.
use-role() {
  local text
  text="$(@PROGRAM@ env --shell bash "$@")" || return
  eval "$text"
}

# Sets ROLECALL_SEGMENT to "[role 42m] " while a role is active. Starts no process where bash can tell the time.
_rolecall_segment() {
  local status=$? now left
  ROLECALL_SEGMENT=
  if [ -n "${ROLECALL_EXPIRATION-}" ]; then
    printf -v now '%(%s)T' -1 2>/dev/null || now="$(date +%s)"
    left=$(((ROLECALL_EXPIRATION - now) / 60))
    if [ "$left" -lt 0 ]; then left=expired; else left="${left}m"; fi
    ROLECALL_SEGMENT="[${ROLECALL_PROFILE} ${left}] "
  fi
  return "$status"
}

if [ "${ROLECALL_PROMPT-}" != off ] && [[ "${PROMPT_COMMAND-}" != *_rolecall_segment* ]]; then
  PROMPT_COMMAND="_rolecall_segment${PROMPT_COMMAND:+; $PROMPT_COMMAND}"
  PS1='${ROLECALL_SEGMENT}'"${PS1-}"
fi
