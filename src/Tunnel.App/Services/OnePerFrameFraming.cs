using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <inheritdoc cref="UdpFraming.OnePerFrame"/>
internal sealed class OnePerFrameFraming : UdpFraming
{
    public override bool Begin(TunnelStream stream) => stream.ReadFrames();

    public override ValueTask<bool> SendAsync(TunnelStream stream, ReadOnlyMemory<byte> datagram) => stream.WriteFrameAsync(datagram);

    public override async ValueTask<int> ReceiveAsync(TunnelStream stream, Memory<byte> destination)
    {
        while (true)
        {
            int length = stream.TryReadFrame(destination.Span);
            if (length > 0)
                return length;
            if (length == 0)
                return End;
            await stream.WaitReadableAsync().ConfigureAwait(false);
        }
    }
}
