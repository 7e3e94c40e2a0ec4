# Rolecall in fish: use-role, and the role in the prompt.
function use-role --description 'Put a role into this shell'
    set -l text (@PROGRAM@ env --shell fish $argv)
    or return
    string join \n -- $text | source
end

# Prints "[role 42m] " while a role is active. Starts no process otherwise.
function _rolecall_segment
    if set -q ROLECALL_EXPIRATION
        set -l now (date +%s)
        if test $ROLECALL_EXPIRATION -lt $now
            printf '[%s expired] ' $ROLECALL_PROFILE
        else
            printf '[%s %sm] ' $ROLECALL_PROFILE (math --scale=0 "($ROLECALL_EXPIRATION - $now) / 60")
        end
    end
end

if test "$ROLECALL_PROMPT" != off; and functions -q fish_prompt; and not functions -q _rolecall_prompt_before
    functions --copy fish_prompt _rolecall_prompt_before
    function fish_prompt
        _rolecall_segment
        _rolecall_prompt_before
    end
end
