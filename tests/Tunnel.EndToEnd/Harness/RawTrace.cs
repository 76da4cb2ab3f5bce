namespace Tunnel.EndToEnd.Harness;

/// <summary>tcpdump on a host of the test, into a file.</summary>
internal sealed class RawTrace
{
    /// <summary>Segments with RST, of both families; the classic accessor of TCP's flags knows IPv4 only.</summary>
    public const string Resets = "(ip and tcp[13] & 4 != 0) or (ip6[6] == 6 and ip6[53] & 4 != 0)";

    private readonly ChildProcess _process;
    private readonly string _file;

    private RawTrace(ChildProcess process, string file)
    {
        _process = process;
        _file = file;
    }

    public static async Task<RawTrace> StartAsync(EndToEndTest test, string host, string file, string filter)
    {
        Requires.Tool("tcpdump");
        // -Z: tcpdump would give up root, and with it the folder of the test.
        ChildProcess process = test.StartProcess(
            host, "tcpdump", "-i", Namespaces.Interface, "-n", "-U", "--immediate-mode", "-B", "65536", "-Z", "root", "-w", file, filter);
        await process.LineAsync("listening on");
        return new RawTrace(process, file);
    }

    /// <summary>Ends the trace: what was seen, one line a packet, with what tcpdump thinks of the checksums.</summary>
    public async Task<string[]> StopAsync()
    {
        await EndAsync();
        string text = (await Tool.RunAsync("tcpdump", "-n", "-vv", "-r", _file)).Expect();
        // The lines that go on with a packet are indented.
        return text.ReplaceLineEndings("\n").Replace("\n    ", " ").Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Ends the trace: its frames.</summary>
    public async Task<List<byte[]>> FramesAsync()
    {
        await EndAsync();
        return PcapFrames.Read(_file);
    }

    private async Task EndAsync()
    {
        _process.Terminate();
        Assert.Equal(0, await _process.ExitAsync());
    }
}
