using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Dump;
using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Ctl.Dump.Files;
using Tunnel.Links;
using Tunnel.Links.AfPacket;

namespace Tunnel.Ctl.Verbs;

/// <summary>dump: the tunnel's packets, captured now or read from a file, printed down to what the key opens.</summary>
internal sealed class DumpVerb
{
    private const string Standard = "-";

    private static readonly string Description = $"""
        Print the tunnel's packets as tcpdump would, and with a key what is inside. Inside are guard, KCP segments, smux frames
        and what streams ask for. Times are UTC. Capturing needs CAP_NET_RAW; reading a file needs nothing.

        Examples:
          tunnelctl dump --config /etc/tunnel/server.toml
          tunnelctl dump -i eth0 --port 9999 --key-file /etc/tunnel/key --only syn,fin,gap
          tunnelctl dump --config client.toml --write tunnel.pcapng --quiet
          tunnelctl dump --read tunnel.pcapng --config client.toml --stream 3 --direction up

        Kinds for --only: {string.Join(' ', DumpFilter.Kinds)}
        (push ack wask wins forgot: KCP; syn fin psh nop upd reset: smux; rst: TCP's reset; again: a retransmission;
        empty: no payload).

        Exit codes: 0 done, 1 the capture broke or the file is damaged, 2 usage, 3 the configuration is wrong,
        4 no privilege, 6 no interface.
        """;

    private readonly Option<string?> _interface = new("--interface", "-i") { Description = "Where to capture; else by --config or the default route" };
    private readonly Option<string?> _port = new("--port", "-p") { Description = "The tunnel's port, or FIRST-LAST; else by --config" };
    private readonly Option<string?> _config = new("--config") { Description = "A client's or server's TOML file: key, cipher, guard, port", HelpName = "FILE" };
    private readonly Option<string[]> _keys = new("--key-file")
    {
        Description = "A file with a key; cipher and guard are found by trying",
        HelpName = "FILE",
        AllowMultipleArgumentsPerToken = true,
    };
    private readonly Option<string> _magic = new("--guard-magic") { Description = "With --key-file: the guard's magic", DefaultValueFactory = _ => "PQT1" };
    private readonly Option<int> _window = new("--guard-window") { Description = "With --key-file: the guard's window in seconds", DefaultValueFactory = _ => 30 };
    private readonly Option<string?> _read = new("--read", "-r") { Description = "Read a pcap or pcapng file (- for standard input) instead", HelpName = "FILE" };
    private readonly Option<string?> _write = new("--write", "-w") { Description = "Keep what is shown in a new pcapng file", HelpName = "FILE" };
    private readonly Option<string?> _host = new("--host") { Description = "Only to or from this address" };
    private readonly Option<string?> _direction = new("--direction") { Description = "up: to the tunnel's port; down: from it" };
    private readonly Option<string?> _only = new("--only") { Description = "Only packets of these kinds, with commas between", HelpName = "KINDS" };
    private readonly Option<uint?> _stream = new("--stream") { Description = "Only packets with frames of this smux stream" };
    private readonly Option<long> _count = new("--count", "-n") { Description = "End after so many are shown; 0: never", DefaultValueFactory = _ => 0 };
    private readonly Option<bool> _quiet = new("--quiet", "-q") { Description = "Print no packets" };
    private readonly Option<bool> _json = new("--json") { Description = "A line of JSON for each packet" };

    public static Command Create()
    {
        var verb = new DumpVerb();
        verb._direction.AcceptOnlyFromAmong("up", "down");
        verb._count.AtLeast(0);
        var command = new Command("dump", Description)
        {
            verb._interface, verb._port, verb._config, verb._keys, verb._magic, verb._window, verb._read, verb._write, verb._host,
            verb._direction, verb._only, verb._stream, verb._count, verb._quiet, verb._json,
        };
        command.SetAction((parsed, cancel) => Task.FromResult(verb.Run(parsed, cancel)));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            DumpSource? source = parsed.GetValue(_config) is { } file ? DumpSource.Load(file) : null;
            DumpFilter filter = FilterOf(parsed, source);
            var decoder = new PacketDecoder(KeysOf(parsed, source));
            return parsed.GetValue(_read) is { } recorded
                ? ReadFile(parsed, decoder, filter, recorded, cancel)
                : Capture(parsed, decoder, filter, source, cancel);
        }
        catch (StartException e)
        {
            return Fail(e.ExitCode, e.Message);
        }
        catch (LinkException e)
        {
            return Fail(ExitCode.For(e.Fault), e.Message);
        }
        catch (SocketException e)
        {
            return Fail(ExitCode.Network, e.Message);
        }
        catch (IOException e) when (LeavingReader.IsGone(e))
        {
            // Who has seen enough.
            return ExitCode.Success;
        }
        catch (Exception e) when (e is CaptureFormatException or IOException or UnauthorizedAccessException)
        {
            return Fail(ExitCode.Failure, e.Message);
        }
    }

    private int ReadFile(ParseResult parsed, PacketDecoder decoder, DumpFilter filter, string file, CancellationToken cancel)
    {
        using Stream stream = file == Standard ? Console.OpenStandardInput() : File.OpenRead(file);
        using PcapngWriter? writer = WriterOf(parsed, file);
        var run = new DumpRun(decoder, OutputOf(parsed, filter, writer));
        try
        {
            run.Read(stream, cancel);
            return ExitCode.Success;
        }
        catch (CaptureFormatException e)
        {
            return Fail(ExitCode.Failure, $"{file}: {e.Message}");
        }
        finally
        {
            Console.Error.WriteLine(run.Counts(null));
        }
    }

    private int Capture(ParseResult parsed, PacketDecoder decoder, DumpFilter filter, DumpSource? source, CancellationToken cancel)
    {
        string name = parsed.GetValue(_interface) ?? source?.Interface() ?? DumpSource.DefaultInterface();
        using PacketTap tap = PacketTap.Open(name, filter.Ports);
        using PcapngWriter? writer = WriterOf(parsed, name);
        var run = new DumpRun(decoder, OutputOf(parsed, filter, writer));
        string ports = filter.Ports is { } p ? string.Create(CultureInfo.InvariantCulture, $", port {p.First}{(p.Last == p.First ? "" : $"-{p.Last}")}") : "";
        Console.Error.WriteLine($"listening on {name}{ports}");
        run.Capture(tap, cancel);
        Console.Error.WriteLine(run.Counts(tap.KernelDrops));
        return ExitCode.Success;
    }

    private DumpOutput OutputOf(ParseResult parsed, DumpFilter filter, PcapngWriter? writer)
    {
        bool colour = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";
        Func<DumpedPacket, string>? render =
            parsed.GetValue(_quiet) ? null : parsed.GetValue(_json) ? DumpJson.Render : packet => DumpText.Render(packet, colour);
        return new DumpOutput(filter, parsed.GetValue(_count), render, LeavingReader.Open(), writer);
    }

    private PcapngWriter? WriterOf(ParseResult parsed, string name) =>
        parsed.GetValue(_write) is { } file ? new PcapngWriter(new FileStream(file, FileMode.CreateNew), name) : null;

    private DumpFilter FilterOf(ParseResult parsed, DumpSource? source)
    {
        (int, int)? ports = parsed.GetValue(_port) is { } text ? PortsOf(text) : parsed.GetValue(_read) is null || parsed.GetValue(_direction) is not null ? source?.Ports : null;
        if (parsed.GetValue(_direction) is not null && ports is null)
            throw new StartException(ExitCode.Usage, "--direction needs to know the tunnel's port: --port or --config");
        return new DumpFilter
        {
            Host = parsed.GetValue(_host) is { } host ? AddressOf(host) : null,
            Ports = ports,
            Up = parsed.GetValue(_direction) switch { "up" => true, "down" => false, _ => null },
            Only = OnlyOf(parsed.GetValue(_only)),
            Stream = parsed.GetValue(_stream),
        };
    }

    private List<TunnelKey> KeysOf(ParseResult parsed, DumpSource? source)
    {
        string magic = parsed.GetValue(_magic)!;
        int window = parsed.GetValue(_window);
        if (magic.Length != 4 || !Ascii(magic) || window is < 1 or > 3600)
            throw new StartException(ExitCode.Usage, "--guard-magic is 4 ASCII characters, --guard-window 1 to 3600 seconds");
        var guard = new GuardParameters(magic, window, 2);
        List<TunnelKey> keys = [.. (parsed.GetValue(_keys) ?? []).Select(f => TunnelKey.FromSecret(File.ReadAllText(f).TrimEnd('\n', '\r'), guard))];
        if (source is not null)
            keys.Insert(0, source.Key);
        return keys.Count != 0 ? keys : [TunnelKey.Keyless()];
    }

    private static bool Ascii(string text) => System.Text.Ascii.IsValid(text);

    private static HashSet<string> OnlyOf(string? text)
    {
        HashSet<string> kinds = [.. (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        return kinds.FirstOrDefault(k => !DumpFilter.Kinds.Contains(k)) is { } unknown
            ? throw new StartException(ExitCode.Usage, $"--only {unknown}: the kinds are {string.Join(", ", DumpFilter.Kinds)}")
            : kinds;
    }

    private static (int First, int Last) PortsOf(string text)
    {
        string[] parts = text.Split('-');
        bool right = (parts.Length is 1 or 2) & ushort.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ushort first)
            & ushort.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort last) && first != 0 && last >= first;
        return right ? (first, last) : throw new StartException(ExitCode.Usage, $"--port {text}: a port, or FIRST-LAST");
    }

    private static IPAddress AddressOf(string text) =>
        IPAddress.TryParse(text, out IPAddress? address) ? address : throw new StartException(ExitCode.Usage, $"--host {text}: an IP address");

    private static int Fail(int code, string message)
    {
        Console.Error.WriteLine(message);
        return code;
    }
}
