using System.Buffers;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Services;

/// <summary>
/// Carries bytes between a socket and a stream, both ways, until both directions have ended or either breaks. Nothing is read that
/// cannot be passed on, so a slow reader at one end slows the writer at the other. A direction that is quiet holds no buffer.
/// </summary>
public sealed class Relay
{
    private const int BufferLength = 64 * 1024;

    /// <summary>smux has no word for "I read no more": after the peer's FIN, data that is stuck this long goes nowhere.</summary>
    private static readonly TimeSpan StuckAfterFinish = TimeSpan.FromSeconds(30);

    /// <summary>After the peer's FIN, a socket that says nothing and does not close either is given up after this.</summary>
    private static readonly TimeSpan QuietAfterFinish = TimeSpan.FromMinutes(10);

    /// <summary>
    /// How long the reply must be quiet before the end of an application's data is passed on to a peer that takes FIN as the end of
    /// both directions (smux before 1.5.57). A target has said all it will, so its end is passed on at once.
    /// </summary>
    private static readonly TimeSpan ReplyQuiet = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);

    private readonly Socket _socket;
    private readonly TunnelStream _stream;
    private readonly TimeSpan _finishLinger;
    private readonly bool _peerHalfCloses;
    private long _receivedAt = Environment.TickCount64;
    private long _sentAt = Environment.TickCount64;
    private volatile bool _sending;
    private int _broken;

    /// <param name="socket">Owned from now on.</param>
    /// <param name="stream">Owned from now on.</param>
    /// <param name="isClient">The socket is the application's; false: it is the target's.</param>
    public Relay(Socket socket, TunnelStream stream, bool isClient)
    {
        _socket = socket;
        _stream = stream;
        _peerHalfCloses = stream.Session.PeerCapabilities.HasFlag(Capabilities.HalfClose | Capabilities.Reset);
        _finishLinger = isClient && !_peerHalfCloses ? ReplyQuiet : TimeSpan.Zero;
    }

    /// <summary>Runs to the end; never throws for what the network does.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using CancellationTokenRegistration registration = cancel.Register(Break);
        Task outward = SocketToStreamAsync();
        Task inward = StreamToSocketAsync();
        await Task.WhenAny(outward, inward).ConfigureAwait(false);
        if (_broken == 0 && !inward.IsCompleted)
            await LingerAsync(inward).ConfigureAwait(false);
        else if (_broken == 0)
            await WatchAsync(outward).ConfigureAwait(false);
        await Task.WhenAll(outward, inward).ConfigureAwait(false);
        _stream.Close();
        _socket.Dispose();
    }

    private async Task SocketToStreamAsync()
    {
        try
        {
            bool more = true;
            while (more)
                more = await ForwardOnceAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            Break();
        }
    }

    private async ValueTask<bool> ForwardOnceAsync()
    {
        // An empty read waits for data without holding a buffer.
        await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            int count = await _socket.ReceiveAsync(buffer.AsMemory(0, BufferLength), SocketFlags.None).ConfigureAwait(false);
            if (count == 0)
                return false;
            Volatile.Write(ref _sentAt, Environment.TickCount64);
            _sending = true;
            await _stream.WriteAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
            _sending = false;
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task StreamToSocketAsync()
    {
        try
        {
            bool more = true;
            while (more)
                more = await DeliverOnceAsync().ConfigureAwait(false);
            // Breaking closes the stream first, which looks like its end from here.
            if (Volatile.Read(ref _broken) == 0)
                _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException)
        {
            Break();
        }
    }

    private async ValueTask<bool> DeliverOnceAsync()
    {
        await _stream.WaitReadableAsync().ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            int count = _stream.TryRead(buffer.AsSpan(0, BufferLength));
            for (int sent = 0; sent < count;)
                sent += await _socket.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None).ConfigureAwait(false);
            Volatile.Write(ref _receivedAt, Environment.TickCount64);
            return count != 0;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The socket has said all; passes that on once the reply is over or has been quiet for the linger time.</summary>
    private async Task LingerAsync(Task inward)
    {
        while (!inward.IsCompleted && Since(ref _receivedAt) < _finishLinger)
            await Task.WhenAny(inward, Task.Delay(WatchInterval)).ConfigureAwait(false);
        _stream.CloseWrite();
    }

    /// <summary>The stream's peer has said all; what still goes to it must get there.</summary>
    private async Task WatchAsync(Task outward)
    {
        while (!outward.IsCompleted)
        {
            await Task.WhenAny(outward, Task.Delay(WatchInterval)).ConfigureAwait(false);
            // A peer of ours says when it reads no more.
            if (!_peerHalfCloses && Since(ref _sentAt) > (_sending ? StuckAfterFinish : QuietAfterFinish))
                Break();
        }

        if (_broken == 0)
            _stream.CloseWrite();
    }

    private static TimeSpan Since(ref long at) => TimeSpan.FromMilliseconds(Environment.TickCount64 - Volatile.Read(ref at));

    /// <summary>Ends both directions; whoever is at the socket sees a reset, not an orderly end in the middle of the data.</summary>
    private void Break()
    {
        if (Interlocked.Exchange(ref _broken, 1) != 0)
            return;
        _stream.Close();
        _socket.Close(0);
    }
}
