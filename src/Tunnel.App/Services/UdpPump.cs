using System.Buffers;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>Takes datagrams out of a stream; the same at both ends of the tunnel.</summary>
internal static class UdpPump
{
    /// <summary>Until the stream ends. A stream that is quiet holds no buffer.</summary>
    /// <param name="from">The stream.</param>
    /// <param name="deliver">Hands on a datagram; false when that was not possible.</param>
    /// <param name="onReceived">Called for each before that.</param>
    /// <param name="meter">Where they count.</param>
    /// <exception cref="IOException">The session ended.</exception>
    public static async Task FromStreamAsync(
        OpenedUdp from, Func<ReadOnlyMemory<byte>, ValueTask<bool>> deliver, Action onReceived, UdpMeter meter)
    {
        for (int length = 0; length != UdpFraming.End;)
        {
            await from.Stream.WaitReadableAsync().ConfigureAwait(false);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(UdpFraming.MaximumDatagram);
            try
            {
                length = await from.Framing.ReceiveAsync(from.Stream, buffer).ConfigureAwait(false);
                if (length == UdpFraming.End)
                    return;
                onReceived();
                if (await deliver(buffer.AsMemory(0, length)).ConfigureAwait(false))
                    meter.CountFromTunnel();
                else
                    meter.Drop(UdpDrop.Socket);
            }
            catch (StreamResetException)
            {
                // How flows end: whoever sends datagrams never says that they are all.
                return;
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }
    }
}
