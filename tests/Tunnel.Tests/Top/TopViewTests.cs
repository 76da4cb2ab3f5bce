using System.Text.Json;
using System.Text.RegularExpressions;
using Spectre.Console;
using Tunnel.App.Diagnostics.Status;
using Tunnel.Ctl.Top;

namespace Tunnel.Tests.Top;

/// <summary>A status on terminals of several widths: nothing is folded, and what is missed least is left out.</summary>
public partial class TopViewTests
{
    private const string Session = """
        {"peer": "PEER", "conv": "0fc2a3b6", "age_seconds": 3723, "idle_seconds": 1, "streams": 20, "rtt_milliseconds": 120,
        "rto_milliseconds": 200, "loss_percent": 12.25, "in_flight": 2047, "in_flight_bytes": 1, "pacing_bytes_per_second": 0, "send_window": 2048,
        "remote_window": 1, "local_window": 1, "in_bytes": 9, "out_bytes": 9, "in_bytes_per_second": 2000000, "out_bytes_per_second": 1800000,
        "retransmissions": 0, "duplicates": 0, "memory_bytes": 427000}
        """;

    private const string Status = """
        {"version": "0.1.0", "role": "server", "pid": 1, "started": "2026-01-01T00:00:00+00:00", "uptime_seconds": 3725, "link": "afpacket",
        "ready": true, "unready": null, "now": {"unix_milliseconds": 1, "stream_in_bytes_per_second": 2000000, "stream_out_bytes_per_second": 1800000,
        "link_in_bytes_per_second": 2100000, "link_out_bytes_per_second": 1900000, "link_in_packets_per_second": 1, "link_out_packets_per_second": 1, "rtt_milliseconds": 119.6,
        "segments_per_second": 11759, "retransmissions_per_second": 12, "drops_per_second": 0, "sessions": 1, "streams": 20, "cpu_percent": 57, "resident_bytes": 93000000,
        "heap_bytes": 1, "gc_pause_milliseconds_per_second": 3.5, "gc_collections_per_second": 0}, "session_count": 1, "sessions": [SESSIONS], "stream_count": 0,
        "streams": [], "connections": [], "memory": {"resident_bytes": 1, "heap_bytes": 1, "sessions_bytes": 1, "limit_bytes": 1},
        "gc": {"collections": [0, 0, 0], "pause_milliseconds": 0, "allocated_bytes": 1}}
        """;

    [Theory]
    [InlineData(120, "127.0.0.1:60268", "Peer|Streams|RTT/RTO ms|Loss|In▾|Out|In flight|Memory|Age")]
    [InlineData(80, "127.0.0.1:60268", "Peer|Streams|RTT/RTO ms|Loss|In▾|Out|Age")]
    [InlineData(80, "[2001:db8:1234:5678:9abc:def0:1234:5678]:60268", "Peer|Loss|In▾|Out")]
    public void TheTableFits(int columns, string peer, string heads)
    {
        string[] lines = Render(columns, 24, TopSort.In, peer);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, columns));
        int head = Array.FindIndex(lines, line => line.TrimStart().StartsWith("Peer", StringComparison.Ordinal));
        string shown = lines[head];
        Assert.All(heads.Split('|'), title => Assert.Contains(title, shown, StringComparison.Ordinal));
        Assert.Equal(heads.Replace("|", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal), shown.Replace(" ", "", StringComparison.Ordinal));
        Assert.Single(lines[(head + 2)..], line => line.Trim().Length != 0);
    }

    [Fact]
    public void WhatSortsStays() =>
        Assert.Contains(Render(80, 24, TopSort.Memory, "127.0.0.1:60268"), line => line.Contains("Memory▾", StringComparison.Ordinal));

    /// <summary>Two lines are left for the keys below it.</summary>
    [Theory]
    [InlineData(120, 24)]
    [InlineData(80, 24)]
    [InlineData(80, 14)]
    public void ManySessionsFitTheHeight(int columns, int height)
    {
        string[] peers = [.. Enumerable.Range(0, 100).Select(i => $"192.0.2.{i}:9999")];
        Assert.InRange(Render(columns, height, TopSort.Peer, peers).Length, height - 3, height - 2);
    }

    /// <summary>
    /// A terminal that became narrower has folded what was drawn before, so a frame begins in the corner, clears each line behind what it writes and
    /// all below, and never has a line or a column too many.
    /// </summary>
    [Theory]
    [InlineData(120, 24)]
    [InlineData(60, 10)]
    [InlineData(20, 3)]
    public void AFrameIsDrawnOverWhateverIsThere(int columns, int height)
    {
        using var text = new StringWriter();
        var settings = new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.TrueColor, Out = new AnsiConsoleOutput(text) };
        IAnsiConsole console = AnsiConsole.Create(settings);
        string[] peers = [.. Enumerable.Range(0, 100).Select(i => $"192.0.2.{i}:9999")];
        string frame = ScreenFrame.Of(TopView.Render(StatusOf(peers), TopSort.In, columns, height), console, columns, height);
        Assert.StartsWith("\e[H", frame, StringComparison.Ordinal);
        Assert.EndsWith("\e[K\e[J", frame, StringComparison.Ordinal);
        string[] lines = frame[3..^3].Split("\r\n");
        Assert.InRange(lines.Length, 1, height);
        Assert.All(lines, line => Assert.EndsWith("\e[K", line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.InRange(Escapes().Replace(line, "").Length, 0, columns));
    }

    private static StatusReport StatusOf(params string[] peers)
    {
        string sessions = string.Join(',', peers.Select(peer => Session.Replace("PEER", peer, StringComparison.Ordinal)));
        return JsonSerializer.Deserialize(Status.Replace("SESSIONS", sessions, StringComparison.Ordinal), StatusJson.Default.StatusReport)!;
    }

    [GeneratedRegex(@"\e\[[0-9;]*[A-Za-z]")]
    private static partial Regex Escapes();

    private static string[] Render(int columns, int height, TopSort sort, params string[] peers)
    {
        StatusReport status = StatusOf(peers);
        using var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = columns;
        console.Write(TopView.Render(status, sort, columns, height));
        return [.. text.ToString().TrimEnd('\n').Split('\n').Select(line => line.TrimEnd())];
    }
}
