using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>The flows of one UDP port; a flow that ended is begun again by the next datagram. Thread-safe.</summary>
internal sealed partial class UdpFlows<TKey>(UdpServing service, ILogger logger, CancellationToken stop)
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
        if (flow is null or { HasEnded: true })
            return false;
        flow.Send(datagram);
        return true;
    }

    /// <summary>Begins a flow with a datagram. Another may end for that.</summary>
    /// <param name="key">Whose datagrams it carries.</param>
    /// <param name="port">Where they go.</param>
    /// <param name="open">Opens its stream.</param>
    /// <param name="deliver">Hands on what comes back; false when that was not possible.</param>
    /// <param name="datagram">The first.</param>
    public void Begin(
        TKey key,
        int port,
        Func<CancellationToken, ValueTask<OpenedUdp>> open,
        Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver,
        ReadOnlySpan<byte> datagram)
    {
        var flow = new UdpFlow(service.Limits(), port, service.Meter, service.Room);
        lock (_lock)
            _flows[key] = flow;
        service.Room.Enter(flow);
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
        catch (Exception defect)
        {
            DefectLog.OfProcess.Met(defect, "a flow of datagrams");
        }
        finally
        {
            service.Room.Leave(flow);
            Forget(key, flow);
        }
    }

    /// <summary>Not the one that has begun in its place.</summary>
    private void Forget(TKey key, UdpFlow flow)
    {
        lock (_lock)
        {
            if (_flows.GetValueOrDefault(key) == flow)
                _flows.Remove(key);
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "datagrams of {Key}: {Problem}")]
    private static partial void LogFlowEnded(ILogger logger, TKey key, string problem);
}

/// <summary>What all relays of datagrams of a process share.</summary>
/// <param name="Limits">Their bounds now.</param>
/// <param name="Meter">Where they count.</param>
/// <param name="Strikes">Where it counts that a bound was reached.</param>
public record UdpServing(Func<UdpLimits> Limits, UdpMeter Meter, LimitMeter? Strikes = null)
{
    /// <summary>The flows that share a limit.</summary>
    public UdpFlowRoom Room { get; } = new(Limits, Strikes);

    /// <summary>The same for somebody whose flows must not take the place of others'.</summary>
    public UdpServing Apart() => new(Limits, Meter, Strikes);
}

/// <summary>The same at a client.</summary>
/// <param name="Opener">Opens their streams.</param>
/// <param name="Limits">Their bounds now.</param>
/// <param name="Meter">Where they count.</param>
/// <param name="Strikes">Where it counts that a bound was reached.</param>
public sealed record UdpService(StreamOpener Opener, Func<UdpLimits> Limits, UdpMeter Meter, LimitMeter? Strikes = null)
    : UdpServing(Limits, Meter, Strikes);
