using System.Runtime.CompilerServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Udp;

/// <summary>
/// Runs of datagrams into a UDP socket: several in a message that the kernel cuts (UDP_SEGMENT), or each a message; many messages in a
/// call. What the kernel does not take together is offered to it again one by one.
/// </summary>
internal static unsafe class UdpSender
{
    /// <summary>Datagrams in one message; newer kernels cut twice as many, older ones no more.</summary>
    internal const int MaxTogether = 64;

    /// <summary>What IPv4's length field leaves for a payload; the kernel holds what it cuts to it as well.</summary>
    internal const int LongestMessage = 65507;

    private const int BatchLimit = 64;

    /// <param name="socket">A UDP socket.</param>
    /// <param name="run">Datagrams back to back.</param>
    /// <param name="frameLength">Bytes in each but the last.</param>
    /// <param name="address">Where to, as the socket wants it.</param>
    /// <param name="together">Datagrams in a message at most.</param>
    [SkipLocalsInit]
    internal static UdpSendResult SendRun(int socket, ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address, int together)
    {
        MessageHeader* headers = stackalloc MessageHeader[BatchLimit];
        IoVector* vectors = stackalloc IoVector[BatchLimit];
        ControlMessage cut = new()
        {
            Length = ControlMessage.HeaderLength + sizeof(ushort),
            Level = SOL_UDP,
            Type = UDP_SEGMENT,
            Data = (ushort)frameLength,
        };
        fixed (byte* data = run, name = address)
        {
            var template = new MessageHeader { Name = name, NameLength = (uint)address.Length, Control = &cut };
            var progress = new Progress(run.Length, frameLength, Math.Clamp(LongestMessage / frameLength, 1, together));
            while (!progress.IsOver)
            {
                int count = Fill(headers, vectors, template, data + progress.Offset, progress.Wanted, frameLength, progress.MessageLength);
                int sent = Libc.SendMessages(socket, headers, (uint)count, MSG_DONTWAIT);
                if (sent >= 0)
                    progress.Take(sent);
                else if (Libc.LastError is int error and not EINTR && !progress.Refuse(error))
                    break;
            }

            return progress.Result;
        }
    }

    private static int Fill(
        MessageHeader* headers, IoVector* vectors, in MessageHeader template, byte* data, int length, int frameLength, int messageLength)
    {
        int count = 0;
        for (int offset = 0; offset < length && count < BatchLimit; offset += messageLength, count++)
        {
            int bytes = Math.Min(messageLength, length - offset);
            vectors[count] = new IoVector { Base = data + offset, Length = (nuint)bytes };
            headers[count] = template;
            headers[count].Vectors = vectors + count;
            headers[count].VectorCount = 1;
            headers[count].ControlLength = bytes > frameLength ? (nuint)sizeof(ControlMessage) : 0;
        }

        return count;
    }

    /// <summary>How far a run has come, in bytes.</summary>
    private struct Progress(int length, int frameLength, int together)
    {
        private int _taken;
        private long _bytes;
        private int _refused;

        // What lies before this goes one by one, because together it was refused; and with what error, while nothing of it was lost.
        private int _aloneUntil;
        private int _suspicion;
        private int _refusal;

        public int Offset { get; private set; }

        public readonly bool IsOver => Offset >= length;

        public readonly int MessageLength => (Offset < _aloneUntil ? 1 : together) * frameLength;

        /// <summary>Bytes that may be offered alike.</summary>
        public readonly int Wanted => (Offset < _aloneUntil ? _aloneUntil : length) - Offset;

        public readonly UdpSendResult Result => new(_taken, _bytes, _refused + FramesIn(length - Offset), _refusal);

        public void Take(int messages)
        {
            int bytes = Math.Min(messages * MessageLength, Wanted);
            _taken += FramesIn(bytes);
            _bytes += bytes;
            Advance(bytes);
        }

        /// <summary>The first message was refused; false when the rest will be, too.</summary>
        public bool Refuse(int error)
        {
            int message = Math.Min(MessageLength, Wanted);
            if (message > frameLength && (ConcernsCutting(error) || ConcernsOneDatagram(error)))
            {
                _aloneUntil = Offset + message;
                _suspicion = ConcernsCutting(error) ? error : 0;
                return true;
            }

            if (!ConcernsOneDatagram(error))
                return false;
            _refused++;
            _suspicion = 0;
            Advance(message);
            return true;
        }

        private void Advance(int bytes)
        {
            bool alone = Offset < _aloneUntil;
            Offset += bytes;
            if (!alone || Offset < _aloneUntil || _suspicion == 0)
                return;
            // One by one all of them pass: it is the cutting that is refused, not the datagrams.
            _refusal = _suspicion;
            together = 1;
        }

        private readonly int FramesIn(int bytes) => (bytes + frameLength - 1) / frameLength;

        /// <summary>Errors after which the next datagram of the run may still go: too long, or the report of an earlier one's fate.</summary>
        private static bool ConcernsOneDatagram(int error) => error is EMSGSIZE or ECONNREFUSED or EHOSTUNREACH;

        /// <summary>
        /// Errors that may mean that the way out cannot cut: no checksums in the device (EIO), datagrams that the device's MTU does not let
        /// through uncut (EINVAL, later EMSGSIZE), a kernel that does not know how.
        /// </summary>
        private static bool ConcernsCutting(int error) => error is EIO or EINVAL or EMSGSIZE or ENOPROTOOPT or EOPNOTSUPP;
    }
}

/// <summary>What became of a run's datagrams.</summary>
/// <param name="Taken">How many the kernel took.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="Refused">How many it did not take: loss.</param>
/// <param name="CutRefusal">The error with which it refused datagrams together that it then took one by one; 0 if it did not.</param>
internal readonly record struct UdpSendResult(int Taken, long Bytes, int Refused, int CutRefusal);
