using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Tunnel.Ctl.Profiling;

namespace Tunnel.Ctl.Verbs;

/// <summary>profile: where a running process spends its processor time.</summary>
internal static class ProfileVerb
{
    private const int DefaultSeconds = 10;
    private const int LongestSeconds = 600;

    private const string Doc = """
        Profile a running process's processor time, write it to a file, and print the ten hottest methods.

        With --pid: any .NET process of the same user, with nothing configured. With --url: a process that has debug.pprof.
        Open the file with `go tool pprof` (pprof), speedscope.app (speedscope), PerfView or Visual Studio (nettrace).

        Examples:
          tunnelctl profile --pid $(pidof tunnel-server)
          tunnelctl profile --url http://127.0.0.1:6060 --seconds 30 --format speedscope --output slow.json

        Exit codes: 0 done, 1 no profile (the message says why), 2 the command line is wrong.
        """;

    public static Command Create()
    {
        var pid = new Option<int?>("--pid") { Description = "the process", HelpName = "PID", CustomParser = r => ReadNumber(r, "--pid", int.MaxValue) };
        var url = new Option<Uri?>("--url") { Description = "where the process serves debug.pprof", HelpName = "URL", CustomParser = ReadAddress };
        var tokenFile = new Option<FileInfo?>("--token-file") { Description = "a file with the token that --url wants, if it does", HelpName = "FILE" };
        var seconds = new Option<int?>("--seconds")
        {
            Description = $"for how long, 1 to {LongestSeconds} ({DefaultSeconds})",
            HelpName = "N",
            CustomParser = r => ReadNumber(r, "--seconds", LongestSeconds),
        };
        var format = new Option<ProfileFormat>("--format")
        {
            Description = $"what is written ({ProfileFormat.Pprof.Word()})",
            HelpName = string.Join('|', Enum.GetValues<ProfileFormat>().Select(f => f.Word())),
        };
        var output = new Option<FileInfo?>("--output", "-o") { Description = "the file; by default tunnel-PID or tunnel-PORT with the format's ending", HelpName = "FILE" };
        var force = new Option<bool>("--force") { Description = "overwrite the file" };
        var json = new Option<bool>("--json") { Description = "print the result as JSON" };
        var command = new Command("profile", Doc) { pid, url, tokenFile, seconds, format, output, force, json };
        command.Validators.Add(result =>
        {
            if (result.GetResult(pid) is null == result.GetResult(url) is null)
                result.AddError("one of --pid and --url is needed, and not both");
        });
        command.SetAction((parsed, cancel) => new ProfileRun(
            parsed.GetValue(pid) is { } process
                ? new LocalSource(process)
                : new RemoteSource(parsed.GetValue(url)!, parsed.GetValue(tokenFile)),
            TimeSpan.FromSeconds(parsed.GetValue(seconds) ?? DefaultSeconds),
            parsed.GetValue(format),
            parsed.GetValue(output)?.FullName,
            parsed.GetValue(force),
            parsed.GetValue(json)).RunAsync(cancel));
        return command;
    }

    private static int? ReadNumber(ArgumentResult result, string option, int largest)
    {
        if (int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= 1 && number <= largest)
            return number;
        result.AddError($"{option} takes a whole number, 1 to {largest}");
        return null;
    }

    private static Uri? ReadAddress(ArgumentResult result)
    {
        if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out Uri? address) && (address.Scheme is "http" or "https"))
            return address;
        result.AddError("--url takes an address such as http://127.0.0.1:6060");
        return null;
    }
}
