using System.Net;
using System.Net.Sockets;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>A datagram to an echo server and back; one that is not back in time is lost, which is counted and not fatal.</summary>
/// <param name="route">The way there.</param>
/// <param name="size">Bytes of a datagram, at least 8.</param>
/// <param name="patience">How long it may take.</param>
internal sealed class UdpWorkload(Route route, int size, TimeSpan patience) : IWorkload
{
    private const int LongestPrefix = 3 + 2 + 255 + 2;

    private readonly byte[] _sent = new byte[LongestPrefix + size];
    private readonly byte[] _received = new byte[64 * 1024];
    private readonly Lock _lock = new();
    private CancellationTokenSource _patience = new();
    private BenchSocket? _control;
    private Socket? _socket;
    private int _prefix;
    private bool _aborted;

    public async ValueTask<long> OperateAsync(LatencyHistogram connect, bool isMeasured)
    {
        Socket socket = _socket ?? await OpenAsync().ConfigureAwait(false);
        Payload.Stamp(_sent.AsSpan(_prefix));
        ReadOnlyMemory<byte> datagram = _sent.AsMemory(0, _prefix + size);
        await socket.SendAsync(datagram, SocketFlags.None).ConfigureAwait(false);
        if (!_patience.TryReset())
        {
            _patience.Dispose();
            _patience = new CancellationTokenSource();
        }

        _patience.CancelAfter(patience);
        try
        {
            while (true)
            {
                int count = await socket.ReceiveAsync(_received, SocketFlags.None, _patience.Token).ConfigureAwait(false);
                if (IsAnswer(_received.AsSpan(0, count), datagram.Span[_prefix..]))
                    return 2L * size;
            }
        }
        catch (OperationCanceledException)
        {
            throw new LoadException(LoadError.Lost, "the datagram did not come back");
        }
    }

    /// <summary>A lost datagram costs nothing else: the association stays until it is given up.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            if (!_aborted)
                return;
            _socket?.Dispose();
            _control?.Dispose();
            _socket = null;
            _control = null;
            _aborted = false;
        }
    }

    public void Abort()
    {
        BenchSocket? control;
        lock (_lock)
        {
            _aborted = true;
            _socket?.Dispose();
            control = _control;
        }

        // Whoever waits for it goes on within this.
        control?.Dispose();
    }

    public void Dispose()
    {
        Abort();
        _patience.Dispose();
    }

    /// <summary>Late answers to earlier datagrams are not it.</summary>
    private bool IsAnswer(ReadOnlySpan<byte> received, ReadOnlySpan<byte> sent)
    {
        if (_prefix == 0)
            return received.SequenceEqual(sent);
        int address = received.Length > 3 ? Socks5Proxy.AddressLength(received[3..]) : -1;
        return address > 0 && received[(3 + address)..].SequenceEqual(sent);
    }

    private async ValueTask<Socket> OpenAsync()
    {
        EndPoint to = await FindAsync().ConfigureAwait(false);
        var socket = new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        lock (_lock)
        {
            _socket = socket;
            if (_aborted)
                socket.Dispose();
        }

        await socket.ConnectAsync(to).ConfigureAwait(false);
        return socket;
    }

    private async ValueTask<EndPoint> FindAsync()
    {
        if (route.Proxy is not { } proxy)
            return await route.ResolveAsync().ConfigureAwait(false);
        // One that was refused is of no use any more.
        _control?.Dispose();
        BenchSocket control = await BenchSocket.ConnectAsync(proxy.Address, Take).ConfigureAwait(false);
        _prefix = 3 + Socks5Proxy.WriteAddress(_sent.AsSpan(3), route.Target.Host, route.Target.Port);
        return await proxy.AssociateAsync(control).ConfigureAwait(false);
    }

    private void Take(BenchSocket control)
    {
        lock (_lock)
        {
            _control = control;
            if (_aborted)
                control.Dispose();
        }
    }
}
