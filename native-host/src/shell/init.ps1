# Rolecall in PowerShell: use-role, and the role in the prompt.
function global:use-role {
    $text = & @PROGRAM@ env --shell powershell @args
    if ($LASTEXITCODE -eq 0) { Invoke-Expression ($text -join "`n") }
}

if ($Env:ROLECALL_PROMPT -ne 'off' -and -not (Test-Path Function:\_rolecall_prompt_before)) {
    Copy-Item Function:\prompt Function:\global:_rolecall_prompt_before
    function global:prompt {
        $segment = ''
        if ($Env:ROLECALL_EXPIRATION) {
            $left = [math]::Floor(([long]$Env:ROLECALL_EXPIRATION - [DateTimeOffset]::UtcNow.ToUnixTimeSeconds()) / 60)
            $segment = if ($left -lt 0) { "[$Env:ROLECALL_PROFILE expired] " } else { "[$Env:ROLECALL_PROFILE ${left}m] " }
        }
        $segment + (_rolecall_prompt_before)
    }
}
