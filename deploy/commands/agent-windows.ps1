# fleetwarden agent-windows 2
#
# Installs the Security Center agent on a Windows instance, as a Cloud Assistant
# command with one parameter: the install code. Only the client status in Security
# Center tells whether the agent came online; this script's status tells whether the
# installer ran. Written for Windows PowerShell 4 and later.
#
# The code is the single-quoted here-string at the very end. Cloud Assistant puts it
# there as text. Nothing in such a string is expanded, and whatever a hostile code would
# write after it is never reached: Install-Agent ends the script. So it stays data, and
# it must be 1 to 64 letters and digits before it is used. It is never printed. The
# installer takes it as an argument, its only way, so for that while it shows in the
# instance's process list.
#
# The addresses are those of the official manual install: the first is for instances
# with a path inside Alibaba Cloud, the second is public.
#
# This file has never run in a test of this repository: those read its text only, for
# want of a PowerShell on the machines they run on. Try it on an instance of your own.
#
# One run at a time: a second one ends at once, whoever starts it. Windows releases the
# lock of a run that was ended.
#
# Ends with the installer's status, or, with one line on stderr that says why:
#   204  no temporary folder can be made
#   205  no site of the installer answered
#   206  a site answered, and none with an installer that can run here
#   207  the install code is not one
#   208  the installer could not be started
#   209  another run of this script has not ended
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Set-PSDebug -Off

# Stop-Script ends everything with a reason.
function Stop-Script([int]$Status, [string]$Reason) {
    [Console]::Error.WriteLine('fleetwarden: ' + $Reason)
    exit $Status
}

# Get-Fault says why a file is not a program that may run; nothing, if it may. A wrong
# signature is a damaged or changed file. A missing one passes: nowhere is it promised.
function Get-Fault([string]$File) {
    if ((Get-Item -LiteralPath $File).Length -eq 0) { return 'an empty answer' }
    $stream = [IO.File]::OpenRead($File)
    try { $magic = [char]$stream.ReadByte() + [string][char]$stream.ReadByte() } finally { $stream.Dispose() }
    if ($magic -cne 'MZ') { return 'not a Windows program' }
    if ((Get-AuthenticodeSignature -LiteralPath $File).Status -eq 'HashMismatch') { return 'not what its signer signed' }
}

# Get-Installer brings the installer of the first address that has one.
function Get-Installer([string[]]$Urls, [string]$File) {
    $missing = 205
    $reasons = @()
    foreach ($url in $Urls) {
        $client = New-Object Net.WebClient
        try {
            $client.DownloadFile($url, $File)
        } catch {
            $reasons += $url + ': ' + $_.Exception.GetBaseException().Message
            continue
        } finally {
            $client.Dispose()
        }
        $missing = 206
        $fault = Get-Fault $File
        if (-not $fault) { return }
        $reasons += $url + ': ' + $fault
    }
    Stop-Script $missing ('no installer to be had: ' + ($reasons -join '; '))
}

# Start-Installer waits for the installer alone; Start-Process -Wait would wait for the
# agent that it starts as well.
function Start-Installer([string]$File, [string]$Code) {
    try {
        $process = Start-Process -FilePath $File -ArgumentList ('-k=' + $Code) -PassThru
        $null = $process.Handle # without it Windows forgets the exit code
        $process.WaitForExit()
        return $process.ExitCode
    } catch {
        Stop-Script 208 'the installer could not be started'
    }
}

# Lock-Run returns the lock, which this process then holds until it ends.
function Lock-Run([string]$Name) {
    try {
        $mutex = New-Object Threading.Mutex($false, $Name)
        try { $free = $mutex.WaitOne(0) } catch [Threading.AbandonedMutexException] { $free = $true }
    } catch {
        $free = $false # another account holds it
    }
    if (-not $free) { Stop-Script 209 'another run of this script has not ended' }
    return $mutex
}

function Install-Agent([string]$Code) {
    if ($Code -cnotmatch '\A[A-Za-z0-9]{1,64}\z') {
        Stop-Script 207 'the install code is not 1 to 64 letters and digits'
    }
    $lock = Lock-Run 'Global\fleetwarden-agent'
    # Windows Server 2012 R2 and 2016 would use TLS 1.0, which the sites refuse.
    [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12
    $folder = Join-Path ([IO.Path]::GetTempPath()) ('fleetwarden-' + [Guid]::NewGuid())
    try { $null = New-Item -ItemType Directory -Path $folder } catch { Stop-Script 204 'cannot make a temporary folder' }
    try {
        $file = Join-Path $folder 'AliAqsInstall.exe'
        $path = '/download/install/2.0/windows/AliAqsInstall.exe'
        Get-Installer @(('https://update2.aegis.aliyun.com' + $path), ('https://aegis.alicdn.com' + $path)) $file
        $status = Start-Installer $file $Code
        if ($status -ne 0) { Stop-Script $status ('the installer ended with ' + $status) }
        'fleetwarden: the installer has run'
    } finally {
        Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
        $lock.Dispose()
    }
    exit 0
}

Install-Agent @'
{{code}}
'@
