using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Host.Netlink;

/// <summary>A netlink socket, rtnetlink unless told otherwise: asks the kernel and reads its answers, or listens to its announcements. One owner at a time.</summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>More than the kernel puts into one message of a dump.</summary>
    private const int BufferBytes = 64 * 1024;

    private const int AnswerTimeoutMilliseconds = 2000;

    // The next socket's: some questions are asked every few seconds.
    private static byte[]? _spare;

    // Pinned: most live as long as the program, and the collector does not copy them.
    private readonly byte[] _buffer = Interlocked.Exchange(ref _spare, null) ?? GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private uint _sequence;

    /// <param name="groups">Whose announcements it hears.</param>
    /// <param name="protocol">Of the kernel's netlink families.</param>
    internal NetlinkSocket(uint groups = 0, int protocol = Rtnetlink.NETLINK_ROUTE)
    {
        Descriptor = Libc.Socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
        if (Descriptor < 0)
            throw new LinkException(LinkFault.Other, $"cannot ask the kernel: netlink: {Libc.Describe(Libc.LastError)}");

        var address = new Address { Family = AF_NETLINK, Groups = groups };
        if (Libc.Bind(Descriptor, &address, (uint)sizeof(Address)) == 0)
            return;
        int error = Libc.LastError;
        Dispose();
        throw new LinkException(LinkFault.Other, $"cannot listen to the kernel: netlink: {Libc.Describe(error)}");
    }

    /// <summary>Handles one message of an answer.</summary>
    internal delegate void MessageHandler(ushort type, ReadOnlySpan<byte> body);

    internal int Descriptor { get; private set; }

    /// <summary>
    /// Sends a request and hands every message of the answer to <paramref name="handler"/>. Returns 0, or the errno with which the
    /// kernel refused.
    /// </summary>
    internal int Ask(NetlinkRequest request, bool dump, MessageHandler handler)
    {
        uint sequence = ++_sequence;
        ReadOnlySpan<byte> message = request.Finish(sequence);
        fixed (byte* data = message)
        {
            if (Libc.Send(Descriptor, data, (nuint)message.Length, 0) < 0)
                return Libc.LastError;
        }

        while (true)
        {
            if (!WaitReadable(AnswerTimeoutMilliseconds))
                return EAGAIN;
            int received = Receive(out int error);
            if (received < 0)
                return error;
            if (TryFinish(_buffer.AsSpan(0, received), sequence, dump, handler, out int result))
                return result;
        }
    }

    /// <summary>Reads what has been announced; the bytes are valid until the next call. Minus one and errno when that failed.</summary>
    internal int Receive(out int error)
    {
        error = 0;
        fixed (byte* data = _buffer)
        {
            nint received;
            do
            {
                received = Libc.Receive(Descriptor, data, BufferBytes, 0);
                error = received < 0 ? Libc.LastError : 0;
            }
            while (error == EINTR);
            return (int)received;
        }
    }

    /// <summary>
    /// Reads all that has been announced so far; false when there was more than the socket could hold, or something is wrong with it.
    /// </summary>
    internal bool ReadAnnounced(MessageHandler handler)
    {
        bool all = true;
        while (WaitReadable(0))
        {
            int received = Receive(out int error);
            all &= received >= 0;
            // Whatever else is wrong with it would be so at once again.
            if (received < 0 && error != ENOBUFS)
                break;
            var reader = new NetlinkReader(_buffer.AsSpan(0, Math.Max(0, received)));
            while (reader.MoveNext())
                handler(reader.Type, reader.Body);
        }

        return all;
    }

    internal ReadOnlySpan<byte> Received(int length) => _buffer.AsSpan(0, length);

    public void Dispose()
    {
        if (Descriptor < 0)
            return;
        _ = Libc.Close(Descriptor);
        Descriptor = -1;
        Volatile.Write(ref _spare, _buffer);
    }

    /// <summary>Reads messages up to the end of the answer; true when that was there.</summary>
    private static bool TryFinish(ReadOnlySpan<byte> bytes, uint sequence, bool dump, MessageHandler handler, out int result)
    {
        result = 0;
        var reader = new NetlinkReader(bytes);
        while (reader.MoveNext())
        {
            if (reader.Sequence != sequence)
                continue;
            if (reader.Type == Rtnetlink.NLMSG_DONE)
                return true;
            if (reader.Type == Rtnetlink.NLMSG_ERROR)
            {
                result = reader.Body.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(reader.Body) : EINVAL;
                return true;
            }

            handler(reader.Type, reader.Body);
            if (!dump)
                return true;
        }

        return false;
    }

    /// <summary>Waits for something to read; false when the time is over. Unlike everything else, any thread may.</summary>
    internal bool WaitReadable(int timeoutMilliseconds)
    {
        var entry = new PollEntry { Descriptor = Descriptor, Wanted = POLLIN };
        return Libc.Poll(&entry, 1, timeoutMilliseconds) > 0;
    }

    /// <summary>struct sockaddr_nl.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Address
    {
        internal ushort Family;
        internal ushort Padding;
        internal uint Port;
        internal uint Groups;
    }
}
