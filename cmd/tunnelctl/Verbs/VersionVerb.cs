using System.CommandLine;
using System.Runtime.InteropServices;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.Verbs;

/// <summary>version: the program's, the runtime's and the machine's.</summary>
internal static class VersionVerb
{
    private const string Description = """
        Print the version, the runtime and the machine.

        Exit codes: 0 printed, 2 a wrong command line.

        Examples:
          tunnelctl version
          tunnelctl version --json
        """;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new Command("version", Description) { json };
        command.SetAction(parsed => Print(parsed.GetValue(json)));
        return command;
    }

    private static void Print(bool json)
    {
        (string version, string runtime, string machine) = (TunnelProgram.Version, RuntimeInformation.FrameworkDescription, RuntimeInformation.RuntimeIdentifier);
        Console.Out.WriteLine(json
            ? JsonText.Write(new { Version = version, Runtime = runtime, Machine = machine })
            : $"tunnel {version}, {runtime}, {machine}");
    }
}
