using System.CommandLine;
using System.Runtime.InteropServices;
using Tunnel.App.Hosting;

namespace Tunnel.Ctl.Verbs;

/// <summary>version: the program's, the runtime's and the machine's.</summary>
internal static class VersionVerb
{
    public static Command Create()
    {
        var command = new Command("version", "Print the version, the runtime and the machine");
        command.SetAction(_ => Console.Out.WriteLine(
            $"tunnel {TunnelProgram.Version}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}"));
        return command;
    }
}
