package instances

import (
	"fmt"

	"fleetwarden/shared/fleet"
)

// The exit statuses of the scripts of deploy/commands, for all operating systems.
const (
	exitNoCurl      = 201
	exitNoToken     = 202
	exitNoRegion    = 203
	exitNoFolder    = 204
	exitNoAnswer    = 205
	exitNoInstaller = 206
	exitNoCode      = 207
	exitNotStarted  = 208
	exitLocked      = 209
)

// ExitMeaning is the meaning of an exit status of the scripts of deploy/commands, in the
// words of their comments; "" for any other status, which is the installer's.
func ExitMeaning(status int) string {
	switch status {
	case exitNoCurl:
		return "curl is not installed"
	case exitNoToken:
		return "the metadata service gives no token"
	case exitNoRegion:
		return "the metadata service gives no usable region id"
	case exitNoFolder:
		return "no temporary folder can be made"
	case exitNoAnswer:
		return "no site of the installer answered"
	case exitNoInstaller:
		return "a site answered, and none with an installer that can run here"
	case exitNoCode:
		return "the install code is not one"
	case exitNotStarted:
		return "the installer could not be started"
	case exitLocked:
		return "another run of this script has not ended"
	}
	return ""
}

// begun describes the start of a run that is awaited.
func begun(run fleet.Invocation) string {
	switch run.Status {
	case fleet.RunOneClick:
		return "Security Center was asked to install the agent"
	case fleet.RunUnclear:
		return "Security Center may have been asked to install the agent, by a pass that left no outcome"
	}
	return "the agent was pushed"
}

// outcome describes the result of the newest run.
func outcome(run fleet.Invocation) string {
	switch run.Status {
	case fleet.RunOneClick, fleet.RunUnclear:
		return begun(run) + ", and no API says how that ended"
	}
	return "the last push ended with " + ended(run)
}

// ended describes how a run ended: its status, Cloud Assistant's error code, and the exit
// code with its meaning; nothing more for a success.
func ended(run fleet.Invocation) string {
	text := run.Status
	if run.ErrorCode != "" {
		text += " (" + run.ErrorCode + ")"
	}
	if run.ExitCode == 0 {
		return text
	}
	text += fmt.Sprintf(", exit code %d", run.ExitCode)
	if meaning := ExitMeaning(run.ExitCode); meaning != "" {
		return text + ": " + meaning
	}
	return text + ", which is the installer's own"
}

// installer is the path of Security Center's installer for an operating system.
func installer(os string) string {
	if os == "windows" {
		return "/download/install/2.0/windows/AliAqsInstall.exe"
	}
	return "/download/install/2.0/linux/AliAqsInstall.sh"
}

// The hosts of the installers.
const (
	insideHost = "https://update2.aegis.aliyun.com" // from within Alibaba Cloud
	publicHost = "https://aegis.alicdn.com"
)

// Manual is the command for a person to run on the instance. It works around the failure of
// the newest push; zero for none. The code is in Security Center, never in a record.
func Manual(os string, run fleet.Invocation) string {
	code := "take CODE"
	if run.ExitCode == exitNoCode {
		code = "make a new install code, and take it as CODE"
	}
	where := code + " from Security Center, Feature Settings, Client, Installation Command; "
	item := "; the posture scan's item is " + postureItem
	if run.ExitCode == exitNoAnswer || run.ExitCode == exitNoInstaller {
		return where + carried(os) + item
	}
	command := manualLinux(run.ExitCode)
	if os == "windows" {
		command = manualWindows(run.ExitCode)
	}
	return where + command + " (from outside Alibaba Cloud's network: host aegis.alicdn.com)" + item
}

func manualLinux(exit int) string {
	get, before := "curl -fsSLO", ""
	switch exit {
	case exitNoCurl:
		get = "wget -q"
	case exitNoFolder:
		before = "cd /root && "
	case exitLocked:
		// A running script holds the lock; an older lock is stale.
		before = `[ -z "$(find /var/run/fleetwarden-agent.lock -mmin -21 2>/dev/null)" ] && `
	}
	return "as root: " + before + get + " " + insideHost + installer("linux") + " && chmod +x AliAqsInstall.sh && ./AliAqsInstall.sh -k=CODE"
}

// manualWindows asks for TLS 1.2: Windows Server 2012 R2 and 2016 would use TLS 1.0.
func manualWindows(exit int) string {
	file, before := `"$env:TEMP\AliAqsInstall.exe"`, ""
	switch exit {
	case exitNoFolder:
		file = `"$env:SystemDrive\AliAqsInstall.exe"`
	case exitNotStarted:
		before = "see that nothing, such as AppLocker or an antivirus program, keeps it from starting; "
	case exitLocked:
		before = "wait until no AliAqsInstall runs; "
	}
	return before + "in PowerShell as an administrator: [Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12; " +
		"(New-Object Net.WebClient).DownloadFile('" + insideHost + installer("windows") + "', " + file + "); & " + file + " -k=CODE"
}

// carried is the remedy for an instance that cannot download an installer: another machine
// does. The agent needs its own servers even then.
func carried(os string) string {
	run := "there, as root: chmod +x AliAqsInstall.sh && ./AliAqsInstall.sh -k=CODE"
	if os == "windows" {
		run = `there, in PowerShell as an administrator: .\AliAqsInstall.exe -k=CODE`
	}
	return "the instance gets no installer: let it reach update*.aegis.aliyun.com and jsrv*.aegis.aliyun.com on TCP 80 and 443, which the agent needs as well; " +
		"download " + publicHost + installer(os) + " on a machine that can, and copy it to the instance; " + run
}
