using System.Buffers.Text;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Security.Cryptography;
using Spectre.Console;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Init;

namespace Tunnel.Ctl.Verbs;

/// <summary>init: a key and the two files that go with it, and what to run.</summary>
internal static class InitVerb
{
    private const string Description = """
        Make a new pair of ends: a key, a server's file and a client's file, and the two commands to run. Asks on a terminal for
        what is not told; writes over nothing; the files are for their owner only (mode 600).

        Exit codes: 0 written, 1 a file is there already or cannot be written, 2 a wrong command line.

        Examples:
          tunnelctl init
          tunnelctl init --server 192.0.2.1:9999 --out pair
          tunnelctl init --server tunnel.example:443 --udp --socks5 127.0.0.1:1081
          tunnelctl init --server [2001:db8::1]:9999 --link pcap --json
        """;

    private static readonly string[] Links = ["auto", "afpacket", "pcap", "udp"];

    public static Command Create()
    {
        var o = new Options();
        var command = new Command("init", Description) { o.Server, o.Link, o.Udp, o.Socks5, o.Out, o.Json };
        o.Link.AcceptOnlyFromAmong(Links);
        command.Validators.Add(result => Validate(result, o));
        command.SetAction((parsed, cancel) => RunAsync(parsed, o, cancel));
        return command;
    }

    private static void Validate(CommandResult result, Options o)
    {
        if (result.GetValue(o.Server) is { } server && InitPlan.ParseServer(server, out _, out _) is { } problem)
            result.AddError($"--server: {problem}");
        else if (result.GetValue(o.Server) is null && !Terminal.CanAsk)
            result.AddError("--server ADDRESS:PORT is needed where nobody can be asked");
        if (result.GetValue(o.Socks5) is { } socks5 && ParseListen(socks5) is null)
            result.AddError($"--socks5: \"{socks5}\" is not ADDRESS:PORT with a numeric address");
        if (result.GetValue(o.Udp) && result.GetValue(o.Link) is not (null or "udp"))
            result.AddError("--udp and --link are two different things");
    }

    private static async Task<int> RunAsync(ParseResult parsed, Options o, CancellationToken cancel)
    {
        try
        {
            InitPlan plan = await PlanAsync(parsed, o, cancel).ConfigureAwait(false);
            string folder = parsed.GetValue(o.Out) ?? ".";
            IReadOnlyList<string> files = InitFiles.Write(plan, folder);
            string host = plan.Server[..plan.Server.LastIndexOf(':')].Trim('[', ']');
            IPAddress? address = IPAddress.TryParse(host, out IPAddress? literal) ? literal : null;
            var result = new InitJson(
                plan.Server, plan.Link, plan.Socks5.ToString(), files,
                $"tunnel-server --config {InitPlan.ServerName}", $"tunnel-client --config {InitPlan.ClientName}", InitNetwork.Find(address));
            Print(result, plan, parsed.GetValue(o.Json));
            return ExitCode.Success;
        }
        catch (InitException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCode.Failure;
        }
    }

    private static async Task<InitPlan> PlanAsync(ParseResult parsed, Options o, CancellationToken cancel)
    {
        bool ask = Terminal.CanAsk && parsed.GetValue(o.Server) is null;
        string given = parsed.GetValue(o.Server) ?? await AskForServerAsync(cancel).ConfigureAwait(false);
        InitPlan.ParseServer(given, out string server, out int port);
        string link = parsed.GetValue(o.Udp) ? "udp" : parsed.GetValue(o.Link) ?? (ask ? await AskForLinkAsync(cancel).ConfigureAwait(false) : Links[0]);
        string socks5 = parsed.GetValue(o.Socks5) ?? (ask ? await AskForSocks5Async(cancel).ConfigureAwait(false) : InitPlan.DefaultSocks5);
        return new InitPlan
        {
            Server = server,
            Port = port,
            Link = link,
            Socks5 = ParseListen(socks5)!,
            Key = NewSecret(32),
            Password = NewSecret(15),
        };
    }

    private static async Task<string> AskForServerAsync(CancellationToken cancel)
    {
        InitNetwork network = InitNetwork.Find(null);
        var prompt = new TextPrompt<string>("Where will clients find the server (ADDRESS:PORT)?")
            .Validate(text => InitPlan.ParseServer(text, out _, out _) is { } problem ? ValidationResult.Error(Markup.Escape(problem)) : ValidationResult.Success());
        if (network.Address is { } address)
        {
            await Console.Error.WriteLineAsync($"this host is {address} on {network.Interface}").ConfigureAwait(false);
            prompt.DefaultValue($"{(address.Contains(':') ? $"[{address}]" : address)}:{InitPlan.DefaultPort}");
        }

        return await prompt.ShowAsync(Terminal.Error, cancel).ConfigureAwait(false);
    }

    private static Task<string> AskForLinkAsync(CancellationToken cancel) => new SelectionPrompt<string>()
        .Title("How shall packets travel? (auto, afpacket and pcap: raw TCP segments, with privilege; udp: without)")
        .AddChoices(Links).ShowAsync(Terminal.Error, cancel);

    private static Task<string> AskForSocks5Async(CancellationToken cancel) => new TextPrompt<string>("Where shall the client serve SOCKS5?")
        .DefaultValue(InitPlan.DefaultSocks5)
        .Validate(text => ParseListen(text) is null ? ValidationResult.Error("not ADDRESS:PORT with a numeric address") : ValidationResult.Success())
        .ShowAsync(Terminal.Error, cancel);

    private static IPEndPoint? ParseListen(string text) =>
        text.Contains(':') && IPEndPoint.TryParse(text, out IPEndPoint? listen) && listen.Port != 0 ? listen : null;

    private static string NewSecret(int bytes) => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(bytes));

    private static void Print(InitJson result, InitPlan plan, bool json)
    {
        if (json)
        {
            Console.Out.WriteLine(JsonText.Write(result));
            return;
        }

        foreach (string file in result.Files)
            Console.Out.WriteLine($"wrote {file}");
        string privilege = plan.Link == "udp" ? "" : ", as root";
        Console.Out.WriteLine($"copy {InitPlan.ServerName} and {InitPlan.KeyName} to the server, {InitPlan.ClientName} and {InitPlan.KeyName} to the client; then");
        Console.Out.WriteLine($"  at the server{privilege}:  {result.ServerCommand}");
        Console.Out.WriteLine($"  at the client{privilege}:  {result.ClientCommand}");
        Console.Out.WriteLine(result.Network.Interface is { } name
            ? $"from this host the server is reached by {name} ({result.Network.Address})"
            : $"from this host the server is not reached: {result.Network.Problem}");
    }

    /// <summary>What init takes.</summary>
    private sealed class Options
    {
        public readonly Option<string?> Server = new("--server") { Description = "where clients find the server", HelpName = "ADDRESS:PORT" };
        public readonly Option<string?> Link = new("--link") { Description = "how packets travel (auto unless told)" };
        public readonly Option<bool> Udp = new("--udp") { Description = "ordinary UDP, without privilege: --link udp" };
        public readonly Option<string?> Socks5 = new("--socks5") { Description = "where the client serves SOCKS5", HelpName = "ADDRESS:PORT" };
        public readonly Option<string?> Out = new("--out", "-o") { Description = "the folder, made if need be", HelpName = "DIR" };
        public readonly Option<bool> Json = new("--json") { Description = "print JSON" };
    }
}
