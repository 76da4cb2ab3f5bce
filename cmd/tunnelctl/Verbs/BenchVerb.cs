using System.CommandLine;
using System.Globalization;
using System.Net;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Workloads;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Emulate;

namespace Tunnel.Ctl.Verbs;

/// <summary>bench: load through a running tunnel or straight to a target; results kept, compared and reported.</summary>
internal static class BenchVerb
{
    /// <summary>What UDP over IPv4 carries.</summary>
    private const int LargestDatagram = 65507;

    private const string Examples = """
        Load through a running tunnel, or straight to a target.

        Examples:
          tunnelctl bench serve --listen 127.0.0.1:9000
          tunnelctl bench http http://127.0.0.1:9000/ -c 4,8,16 --seconds 10
          tunnelctl bench tcp 127.0.0.1:9001 --through socks5://127.0.0.1:1080 -c 50 --save before.json
          tunnelctl bench tcp 127.0.0.1:9001 --rate 1000
          tunnelctl bench bulk 127.0.0.1:9002 --direction up --pid $(pidof tunnel-client)
          tunnelctl bench compare before.json after.json
          tunnelctl bench report before.json after.json --out note.md

        Exit codes: 0 measured, 1 not (the message says why), 2 a wrong command line.
        """;

    private const string ServeDescription = """
        The target: HTTP on a port, echo (TCP and UDP) on the next, bulk on the one after. Serves until it is stopped.

        Exit codes: 0 stopped as asked, 1 a port is taken, 2 a wrong command line.

        Examples:
          tunnelctl bench serve
          tunnelctl bench serve --listen 0.0.0.0:9000 --delay 10ms
          tunnelctl bench serve --listen 127.0.0.1:9000 --backlog 128
        """;

    private const string CompareDescription = """
        What changed between two benches, and whether it is more than noise. Noise is what the 95 % confidence interval of the
        difference of the rounds' means leaves open.

        Exit codes: 0 compared, 1 they cannot be (it says why), 2 a wrong command line.

        Examples:
          tunnelctl bench compare before.json after.json
          tunnelctl bench compare before.json after.json --json
        """;

    public static Command Create()
    {
        var command = new Command("bench", Examples)
        {
            CreateHttp(), CreateTcp(), CreateConnect(), CreateUdp(), CreateBulk(), CreateHold(), CreateServe(), CreateCompare(),
            BenchReportVerb.Create(),
        };
        return command;
    }

    private static Command CreateHttp()
    {
        var url = new Argument<string>("url") { Description = "http://HOST:PORT/PATH" };
        var closing = new Option<bool>("--no-keepalive") { Description = "A connection for each request" };
        var load = new LoadOptions();
        var command = new Command("http", "Requests a second and their times: GET over HTTP/1.1") { url, closing };
        load.AddTo(command, "http://127.0.0.1:9000/ -c 4,8,16 --seconds 10", "http://127.0.0.1:9000/ -c 8 --rate 1000 --through socks5://127.0.0.1:1080");
        command.SetAction((parsed, cancel) => load.RunAsync(
            parsed, () => Job.Http(parsed.GetValue(url)!, !parsed.GetValue(closing), to => load.RouteTo(parsed, to)), cancel));
        return command;
    }

    private static Command CreateTcp()
    {
        var target = TargetArgument("an echo server: bench serve's second port");
        var size = new Option<int>("--size") { Description = "Bytes of a message", DefaultValueFactory = _ => 64 };
        size.AtLeast(1);
        var load = new LoadOptions();
        var command = new Command("tcp", "Round trips of a message to an echo server, over connections that stay") { target, size };
        load.AddTo(command, "127.0.0.1:9001 --through socks5://127.0.0.1:1080 -c 50 --save before.json", "127.0.0.1:9001 --rate 1000");
        command.SetAction((parsed, cancel) => load.RunAsync(
            parsed, () => Job.Tcp(parsed.GetValue(target)!, parsed.GetValue(size), to => load.RouteTo(parsed, to)), cancel));
        return command;
    }

    private static Command CreateConnect()
    {
        var target = TargetArgument("an echo server, or with --only any");
        var only = new Option<bool>("--only") { Description = "Only connect; otherwise one byte is echoed, which shows that it goes all the way" };
        var load = new LoadOptions();
        var command = new Command("connect", "New connections a second") { target, only };
        load.AddTo(command, "127.0.0.1:9001 -c 16 --through socks5://127.0.0.1:1080", "127.0.0.1:22 --only -n 100");
        command.SetAction((parsed, cancel) => load.RunAsync(
            parsed, () => Job.Connect(parsed.GetValue(target)!, !parsed.GetValue(only), to => load.RouteTo(parsed, to)), cancel));
        return command;
    }

    private static Command CreateUdp()
    {
        var target = TargetArgument("a UDP echo server: bench serve's second port");
        var size = new Option<int>("--size") { Description = "Bytes of a datagram", DefaultValueFactory = _ => 1200 };
        size.Within(sizeof(long), LargestDatagram);
        var patience = new Option<double>("--lost-after") { Description = "Seconds after which a datagram is lost", DefaultValueFactory = _ => 1 };
        patience.AtLeast(0.001);
        var load = new LoadOptions();
        var command = new Command("udp", "Round trips of a datagram to an echo server; through SOCKS5 by UDP ASSOCIATE") { target, size, patience };
        load.AddTo(command, "127.0.0.1:9001 --through socks5://127.0.0.1:1080 --rate 500", "127.0.0.1:9001 --size 64 --lost-after 0.2");
        command.SetAction((parsed, cancel) => load.RunAsync(
            parsed, () => Job.Udp(parsed.GetValue(target)!, parsed.GetValue(size), TimeSpan.FromSeconds(parsed.GetValue(patience)), to => load.RouteTo(parsed, to)), cancel));
        return command;
    }

    private static Command CreateBulk()
    {
        var target = TargetArgument("bench serve's third port");
        var direction = new Option<string>("--direction") { Description = "down (from the target) or up", DefaultValueFactory = _ => "down" };
        direction.AcceptOnlyFromAmong("down", "up");
        var load = new LoadOptions();
        var command = new Command("bulk", "Throughput of connections that carry as much as they can") { target, direction };
        load.AddTo(command, "127.0.0.1:9002 --through socks5://127.0.0.1:1080 -c 1,8", "127.0.0.1:9002 --direction up --pid $(pidof tunnel-client)");
        command.SetAction((parsed, cancel) => load.RunAsync(parsed, () =>
        {
            BulkDirection way = parsed.GetValue(direction) == "up" ? BulkDirection.Up : BulkDirection.Down;
            return Job.Bulk(parsed.GetValue(target)!, way, to => load.RouteTo(parsed, to));
        }, cancel));
        return command;
    }

    private static Command CreateHold()
    {
        var target = TargetArgument("an echo server: bench serve's second port");
        var load = new LoadOptions { HoldsStill = true };
        var command = new Command("hold", "Connections that are opened and held, idle; with --pid what memory each costs there") { target };
        load.AddTo(command, "127.0.0.1:9001 --through socks5://127.0.0.1:1080 -c 1000 --pid $(pidof tunnel-client)");
        command.SetAction((parsed, cancel) => load.RunAsync(parsed, () => Job.Hold(parsed.GetValue(target)!, to => load.RouteTo(parsed, to)), cancel));
        return command;
    }

    private static Command CreateServe()
    {
        var listen = new Option<string>("--listen") { Description = "ADDRESS:PORT of the first of three ports", DefaultValueFactory = _ => "127.0.0.1:9000" };
        var delay = new Option<string>("--delay")
        {
            Description = "How long an HTTP request or an echo over TCP takes, such as 10ms: c connections then make c/10ms requests a second",
            DefaultValueFactory = _ => "0ms",
        };
        var backlog = new Option<int?>("--backlog") { Description = "Connections that may wait to be accepted; as many as the kernel allows unless told" };
        var json = new Option<bool>("--json") { Description = "Say where it serves as JSON" };
        backlog.AtLeast(1);
        var command = new Command("serve", ServeDescription) { listen, delay, backlog, json };
        command.SetAction((parsed, cancel) => Guarded(async () =>
        {
            if (!IPEndPoint.TryParse(parsed.GetValue(listen)!, out IPEndPoint? first) || first.Port is 0 or > 65533)
                throw new FormatException($"\"{parsed.GetValue(listen)}\" is not ADDRESS:PORT with room for two ports more");
            InlineSockets.Enable();
            var wait = TimeSpan.FromMicroseconds(ImpairmentText.Time("--delay", parsed.GetValue(delay)!) / 1e3);
            using var server = new TargetServer(first, wait, parsed.GetValue(backlog) ?? int.MaxValue);
            IPEndPoint echo = new(first.Address, first.Port + 1), bulk = new(first.Address, first.Port + 2);
            Console.Out.WriteLine(parsed.GetValue(json)
                ? JsonText.Write(new { Http = $"http://{first}/", Echo = $"{echo}", Bulk = $"{bulk}" })
                : $"serving http://{first}/ (GET / and /bytes/N), echo on port {first.Port + 1} (TCP, UDP), bulk on port {first.Port + 2}");
            await server.RunAsync(cancel).ConfigureAwait(false);
        }));
        return command;
    }

    private static Command CreateCompare()
    {
        var before = new Argument<string>("before") { Description = "A file of bench --save" };
        var after = new Argument<string>("after") { Description = "Another, of the same load" };
        var json = new Option<bool>("--json") { Description = "JSON instead of a table" };
        var command = new Command("compare", CompareDescription) { before, after, json };
        command.SetAction((parsed, _) => Guarded(() =>
        {
            string a = parsed.GetValue(before)!, b = parsed.GetValue(after)!;
            Comparison comparison = Comparison.Of(a, BenchFile.Load(a), b, BenchFile.Load(b));
            if (parsed.GetValue(json))
                Console.Out.WriteLine(JsonText.Write(comparison));
            else
                BenchTable.Print(Terminal.Output, comparison);
            return Task.CompletedTask;
        }));
        return command;
    }

    private static Argument<string> TargetArgument(string what) => new("target") { Description = $"HOST:PORT of {what}" };

    /// <summary>What the user can mend is one line and no stack.</summary>
    internal static async Task<int> Guarded(Func<Task> action)
    {
        try
        {
            await action().ConfigureAwait(false);
            return ExitCode.Success;
        }
        catch (Exception e) when (e is BenchException or FormatException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return e is BenchException ? ExitCode.Failure : ExitCode.Usage;
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("stopped; nothing was measured to its end").ConfigureAwait(false);
            return ExitCode.Failure;
        }
    }
}
