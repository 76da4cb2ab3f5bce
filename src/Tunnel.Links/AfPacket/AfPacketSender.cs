using System.Runtime.CompilerServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>Frames into a packet socket with virtio headers: many in a call, or one that the kernel cuts.</summary>
internal static unsafe class AfPacketSender
{
    private const int BatchLimit = 64;

    [SkipLocalsInit]
    internal static SendResult SendRun(int socket, ReadOnlySpan<byte> run, int frameLength)
    {
        MessageHeader* headers = stackalloc MessageHeader[BatchLimit];
        IoVector* vectors = stackalloc IoVector[2 * BatchLimit];
        VirtioHeader plain = default;
        SendResult result = default;
        fixed (byte* data = run)
        {
            int offset = 0;
            while (offset < run.Length)
            {
                int count = Fill(headers, vectors, &plain, data + offset, run.Length - offset, frameLength);
                int sent = Libc.SendMessages(socket, headers, (uint)count, MSG_DONTWAIT);
                int error = sent < 0 ? Libc.LastError : 0;
                if (error == EINTR)
                    continue;

                // Too long a frame concerns itself alone. A full queue or a dead interface will not take the rest either.
                if (error != 0 && error != EMSGSIZE)
                    break;
                int end = Math.Min(offset + (Math.Max(sent, 1) * frameLength), run.Length);
                result = error == 0 ? result.Taken(sent, end - offset) : result with { Refused = result.Refused + 1 };
                offset = end;
            }

            return result with { Refused = result.Refused + ((run.Length - offset + frameLength - 1) / frameLength) };
        }
    }

    /// <summary>Sends one frame to be cut; 0 or errno.</summary>
    internal static int SendMerged(int socket, ReadOnlySpan<byte> frame, int headerLength, int segmentLength)
    {
        VirtioHeader cut = VirtioHeader.Cut(frame, headerLength, segmentLength);
        IoVector* vectors = stackalloc IoVector[2];
        fixed (byte* data = frame)
        {
            vectors[0] = new IoVector { Base = &cut, Length = VirtioHeader.Length };
            vectors[1] = new IoVector { Base = data, Length = (nuint)frame.Length };
            var message = new MessageHeader { Vectors = vectors, VectorCount = 2 };
            while (Libc.SendMessage(socket, &message, MSG_DONTWAIT) < 0)
            {
                if (Libc.LastError is int error and not EINTR)
                    return error;
            }
        }

        return 0;
    }

    /// <summary>Sends frames of any lengths that lie back to back, each as its tag says; how many the kernel took.</summary>
    [SkipLocalsInit]
    internal static int SendTagged(int socket, ReadOnlySpan<byte> frames, ReadOnlySpan<int> lengths, ReadOnlySpan<ulong> tags)
    {
        MessageHeader* messages = stackalloc MessageHeader[BatchLimit];
        IoVector* vectors = stackalloc IoVector[2 * BatchLimit];
        VirtioHeader* headers = stackalloc VirtioHeader[BatchLimit];
        int taken = 0;
        fixed (byte* data = frames)
        {
            byte* at = data;
            for (int i = 0; i < lengths.Length; at += lengths[i], i++)
            {
                headers[i] = VirtioHeader.FromTag(tags[i]);
                vectors[2 * i] = new IoVector { Base = headers + i, Length = VirtioHeader.Length };
                vectors[(2 * i) + 1] = new IoVector { Base = at, Length = (nuint)lengths[i] };
                messages[i] = new MessageHeader { Vectors = vectors + (2 * i), VectorCount = 2 };
            }

            for (int done = 0; done < lengths.Length;)
            {
                int sent = Libc.SendMessages(socket, messages + done, (uint)(lengths.Length - done), MSG_DONTWAIT);
                taken += Math.Max(0, sent);
                // A frame that is refused concerns itself alone; the next has another chance.
                if (sent > 0 || Libc.LastError != EINTR)
                    done += Math.Max(1, sent);
            }
        }

        return taken;
    }

    private static int Fill(MessageHeader* headers, IoVector* vectors, VirtioHeader* plain, byte* data, int length, int frameLength)
    {
        int count = 0;
        for (int offset = 0; offset < length && count < BatchLimit; offset += frameLength, count++)
        {
            IoVector* pair = vectors + (2 * count);
            pair[0] = new IoVector { Base = plain, Length = VirtioHeader.Length };
            pair[1] = new IoVector { Base = data + offset, Length = (nuint)Math.Min(frameLength, length - offset) };
            headers[count] = new MessageHeader { Vectors = pair, VectorCount = 2 };
        }

        return count;
    }
}

/// <summary>What became of a run's frames.</summary>
internal readonly record struct SendResult(int Frames, long Bytes, int Refused)
{
    internal SendResult Taken(int frames, int bytes) => this with { Frames = Frames + frames, Bytes = Bytes + bytes };
}
