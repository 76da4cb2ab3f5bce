using System.Buffers;
using System.Buffers.Binary;
using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <inheritdoc cref="UdpFraming.LengthPrefixed"/>
internal sealed class LengthPrefixedFraming : UdpFraming
{
    private const int PrefixLength = 2;

    public override bool Begin(TunnelStream stream)
    {
        stream.ReadBytes();
        return true;
    }

    public override async ValueTask<bool> SendAsync(TunnelStream stream, ReadOnlyMemory<byte> datagram)
    {
        if (datagram.Length > MaximumDatagram)
            return false;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PrefixLength + datagram.Length);
        try
        {
            BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)datagram.Length);
            datagram.CopyTo(buffer.AsMemory(PrefixLength));
            await stream.WriteAsync(buffer.AsMemory(0, PrefixLength + datagram.Length)).ConfigureAwait(false);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public override async ValueTask<int> ReceiveAsync(TunnelStream stream, Memory<byte> destination)
    {
        if (!await FillAsync(stream, destination[..PrefixLength]).ConfigureAwait(false))
            return End;
        int length = BinaryPrimitives.ReadUInt16BigEndian(destination.Span);
        return await FillAsync(stream, destination[..length]).ConfigureAwait(false) ? length : End;
    }

    private static async ValueTask<bool> FillAsync(TunnelStream stream, Memory<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count = await stream.ReadAsync(destination).ConfigureAwait(false);
            if (count == 0)
                return false;
            destination = destination[count..];
        }

        return true;
    }
}
