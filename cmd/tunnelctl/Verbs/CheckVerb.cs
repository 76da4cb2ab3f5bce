using System.CommandLine;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.Verbs;

/// <summary>check: the host and the file, what they should be for a profile, and the commands that make them so.</summary>
internal static class CheckVerb
{
    private const string Description = """
        Look at this host and, with --config, at a file of either end: what is, what should be, why, and the command that changes it.

        Exit codes: 0 all good, 1 advice (or something asked for was not done), 2 a wrong command line, 8 something is broken.

        Examples:
          tunnelctl check --config /etc/tunnel/client.toml
          tunnelctl check --profile latency --json
          tunnelctl check --snapshot before.json && run-the-load && tunnelctl check --snapshot after.json
          tunnelctl check --diff before.json after.json
          tunnelctl check --apply --profile throughput --persist
          tunnelctl check --apply --only net.core.somaxconn --yes --undo undo.json
          tunnelctl check --revert undo.json
        """;

    public static Command Create()
    {
        var o = new CheckOptions();
        var command = new Command("check", Description);
        foreach (Option option in o.All)
            command.Options.Add(option);
        command.Validators.Add(o.Validate);
        command.SetAction((parsed, cancel) => RunAsync(o, parsed, cancel));
        return command;
    }

    private static Task<int> RunAsync(CheckOptions o, ParseResult parsed, CancellationToken cancel)
    {
        CheckRequest request = o.RequestOf(parsed);
        return LookAsync(o, parsed, request, cancel);
    }

    private static async Task<int> LookAsync(CheckOptions o, ParseResult parsed, CheckRequest request, CancellationToken cancel)
    {
        CheckReport report = await Terminal.WithProgressAsync("looking", p => CheckRun.RunAsync(request, p, cancel)).ConfigureAwait(false);
        if (parsed.GetValue(o.Only) is { } only)
            report = report.Only(only);
        if (parsed.GetValue(o.Json))
            Console.Out.WriteLine(JsonText.Write(CheckJson.Of(report)));
        else
            CheckTable.Print(Terminal.Output, Console.Out, report);
        return report.ExitCode;
    }
}
