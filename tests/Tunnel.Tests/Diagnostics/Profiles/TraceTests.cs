using System.Text;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.Tests.Diagnostics.Profiles;

/// <summary>A trace of this process, read by the runtime team's own library and by ours: both must see the same.</summary>
[Collection(nameof(ProfiledProcess))]
public class TraceTests : IAsyncLifetime
{
    private LoadedTunnel _tunnel = null!;

    public async ValueTask InitializeAsync() => _tunnel = await LoadedTunnel.StartAsync();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _tunnel.DisposeAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task ATraceHoldsWhatBothReadersFind()
    {
        Task<byte[]> tracing = _tunnel.GetAsync("/debug/pprof/trace?seconds=1");
        while (!tracing.IsCompleted)
        {
            await _tunnel.ConnectAsync();
            await Task.Delay(20);
        }

        byte[] trace = await tracing;
        var ours = new Counting();
        new NettraceReader(new MemoryStream(trace), ours).Run();

        using var source = new EventPipeEventSource(new MemoryStream(trace));
        long samples = 0;
        var own = new HashSet<string>();
        var methods = new HashSet<string>();
        source.Dynamic.All += e =>
        {
            if (e.ProviderName == NettraceEventType.Sampler)
                samples++;
            else if (e.ProviderName == "Tunnel")
                own.Add(e.EventName);
        };
        var rundown = new ClrRundownTraceEventParser(source);
        rundown.MethodDCStopVerbose += (MethodLoadUnloadVerboseTraceData e) => methods.Add($"{e.MethodNamespace}.{e.MethodName}");
        source.Process();

        Assert.True(ours.Samples > 100, $"{ours.Samples} samples");
        Assert.Equal(samples, ours.Samples);
        Assert.Equal(methods.Order(StringComparer.Ordinal), ours.Methods.Order(StringComparer.Ordinal));
        Assert.Contains("Tunnel.App.Runtime.PeerSession.Leave", ours.Methods);
        Assert.Equal(0, ours.UnknownStacks);
        Assert.Contains(own, e => e.Contains("StreamOpened", StringComparison.Ordinal));
    }

    /// <summary>What is cut off or is no trace ends with an error, never with a hang or another exception.</summary>
    [Fact(Timeout = 120_000)]
    public async Task ABrokenTraceIsAnError()
    {
        byte[] trace = await _tunnel.GetAsync("/debug/pprof/trace?seconds=1");
        Assert.Throws<InvalidDataException>(() => Read(Encoding.ASCII.GetBytes("Nottrace and more of that, surely longer than a header")));
        var random = new Random(1);
        for (int i = 0; i < 200; i++)
        {
            Assert.Throws<EndOfStreamException>(() => Read(trace[..random.Next(1, trace.Length / 2)]));
            byte[] damaged = trace[..Math.Min(trace.Length, 200_000)];
            for (int j = 0; j < 5; j++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next();
            Exception? e = Record.Exception(() => Read(damaged));
            Assert.True(e is InvalidDataException or EndOfStreamException or OverflowException or null, e?.ToString());
        }
    }

    private static void Read(byte[] trace) => new NettraceReader(new MemoryStream(trace), new Counting()).Run();

    private sealed class Counting : INettraceSink
    {
        private readonly HashSet<int> _stacks = [];

        public long Samples { get; private set; }

        public long UnknownStacks { get; private set; }

        public HashSet<string> Methods { get; } = [];

        public void OnStack(int id, ReadOnlySpan<byte> addresses) => _stacks.Add(id);

        public void OnStacksForgotten() => _stacks.Clear();

        public void OnEvent(in NettraceEvent e)
        {
            if (e.Type.Known == KnownEvent.ThreadSample)
            {
                Samples++;
                UnknownStacks += e.Stack == 0 || _stacks.Contains(e.Stack) ? 0 : 1;
            }
            else if (e.Type.Known == KnownEvent.MethodCode)
            {
                var cursor = new PayloadCursor(e.Payload);
                cursor.Take(16 + 8 + 4 + 8);
                Methods.Add($"{cursor.ReadText()}.{cursor.ReadText()}");
            }
        }
    }
}
