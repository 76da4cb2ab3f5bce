using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>The flows of one UDP port, at most so many; a flow that ended is begun again by the next datagram. Thread-safe.</summary>
internal sealed partial class UdpFlows<TKey>(int maximum, UdpServing service, ILogger logger, CancellationToken stop)
    where TKey : notnull
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TKey, UdpFlow> _flows = [];
    private readonly RateLimitedLog _broken = new(logger, "flows of datagrams that broke");

    /// <summary>Sends into a flow that is there; false when it is not.</summary>
    public bool TrySend(TKey key, ReadOnlySpan<byte> datagram)
    {
        UdpFlow? flow;
        lock (_lock)
            _flows.TryGetValue(key, out flow);
        flow?.Send(datagram);
        return flow is not null;
    }

    /// <summary>Begins a flow with a datagram, or drops and counts it.</summary>
    public void Begin(
        TKey key, Func<CancellationToken, ValueTask<OpenedUdp>> open, Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver, ReadOnlySpan<byte> datagram)
    {
        var flow = new UdpFlow(service.Limits, service.Meter);
        lock (_lock)
        {
            if (_flows.Count >= maximum)
            {
                service.Meter.Drop(UdpDrop.FlowLimit);
                return;
            }

            _flows.Add(key, flow);
        }

        flow.Send(datagram);
        _ = RunAsync(key, flow, open, deliver);
    }

    private async Task RunAsync(
        TKey key, UdpFlow flow, Func<CancellationToken, ValueTask<OpenedUdp>> open, Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver)
    {
        try
        {
            await flow.RunAsync(open, deliver, stop).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            if (logger.IsEnabled(LogLevel.Debug) && _broken.Admits())
                LogFlowEnded(logger, key, e.Message);
        }
        finally
        {
            lock (_lock)
                _flows.Remove(key);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "datagrams of {Key}: {Problem}")]
    private static partial void LogFlowEnded(ILogger logger, TKey key, string problem);
}

/// <summary>What all relays of datagrams of a process share.</summary>
/// <param name="Limits">Their bounds.</param>
/// <param name="Meter">Where they count.</param>
public record UdpServing(UdpLimits Limits, UdpMeter Meter);

/// <summary>The same at a client.</summary>
/// <param name="Opener">Opens their streams.</param>
/// <param name="Limits">Their bounds.</param>
/// <param name="Meter">Where they count.</param>
public sealed record UdpService(StreamOpener Opener, UdpLimits Limits, UdpMeter Meter) : UdpServing(Limits, Meter);
