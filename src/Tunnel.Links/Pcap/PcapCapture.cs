using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tunnel.Links.Native;

namespace Tunnel.Links.Pcap;

/// <summary>One activated libpcap handle. Not thread-safe except where said; <see cref="PcapLink"/> has the locks.</summary>
internal sealed unsafe class PcapCapture : IDisposable
{
    private const int SendBufferBytes = 8 << 20;

    private readonly string _interface;
    private nint _pcap;
    private GCHandle _self;

    // The state of one Dispatch. A frame handler must not throw through C frames: the first exception waits here.
    private IFrameSink? _sink;
    private Exception? _thrown;
    private long _bytes;
    private int _frames;
    private int _truncated;

    private PcapCapture(nint pcap, PcapOptions options, int snapLength)
    {
        _pcap = pcap;
        _interface = options.Interface;
        SnapLength = snapLength;
        _self = GCHandle.Alloc(this);
    }

    internal int SnapLength { get; }

    internal int Descriptor { get; private set; }

    internal static PcapCapture Open(PcapOptions options, int snapLength, Action<string>? notice)
    {
        LibPcap.Require();
        byte* error = stackalloc byte[LibPcap.ErrorBufferSize];
        nint pcap = LibPcap.Create(options.Interface, error);
        if (pcap == 0)
            throw new LinkException(LinkFault.Other, $"libpcap cannot open {options.Interface}: {LibPcap.Text(error)}");

        var capture = new PcapCapture(pcap, options, snapLength);
        try
        {
            capture.Activate(options, notice);
            capture.Prepare(options);
            return capture;
        }
        catch
        {
            capture.Dispose();
            throw;
        }
    }

    /// <summary>Hands at most <paramref name="limit"/> frames to the sink, without waiting. The spans point into the kernel's ring.</summary>
    internal DispatchResult Dispatch(IFrameSink sink, int limit)
    {
        _sink = sink;
        _thrown = null;
        _bytes = 0;
        _frames = 0;
        _truncated = 0;
        int status = LibPcap.Dispatch(_pcap, limit, &OnPacket, (void*)GCHandle.ToIntPtr(_self));
        _sink = null;
        if (_thrown is { } thrown)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(thrown);
        if (status < 0 && status != LibPcap.BrokenLoop)
            throw new LinkException(LinkFault.Network, $"capture on {_interface} ended: {LibPcap.Text(LibPcap.GetError(_pcap))}");
        return new DispatchResult(_frames, _bytes, _truncated);
    }

    /// <summary>Sends one frame; 0 or errno. May run while another thread is in <see cref="Dispatch"/>: it touches the descriptor only.</summary>
    internal int Inject(byte* frame, int length)
    {
        if (LibPcap.Inject(_pcap, frame, (nuint)length) >= 0)
            return 0;
        int error = Libc.LastError;
        return error == 0 ? Linux.EINVAL : error;
    }

    internal bool TryGetDrops(out uint kernel, out uint device)
    {
        LibPcap.Stats stats;
        bool known = LibPcap.Statistics(_pcap, &stats) == 0;
        kernel = known ? stats.Dropped : 0;
        device = known ? stats.DroppedByInterface : 0;
        return known;
    }

    public void Dispose()
    {
        if (_pcap != 0)
            LibPcap.Close(_pcap);
        _pcap = 0;
        if (_self.IsAllocated)
            _self.Free();
    }

    private void Activate(PcapOptions options, Action<string>? notice)
    {
        _ = LibPcap.SetSnapLength(_pcap, SnapLength);
        _ = LibPcap.SetPromiscuous(_pcap, options.Promiscuous ? 1 : 0);
        _ = LibPcap.SetImmediateMode(_pcap, options.Immediate ? 1 : 0);
        _ = LibPcap.SetTimeout(_pcap, options.TimeoutMilliseconds);
        _ = LibPcap.SetBufferSize(_pcap, options.RingBytes(SnapLength));
        int status = LibPcap.Activate(_pcap);
        if (status < 0)
            throw PcapErrors.Activation(_interface, status, Detail(status));
        if (status > 0)
            notice?.Invoke($"libpcap warns about {_interface}: {Detail(status)}");
        if (LibPcap.DataLink(_pcap) != LibPcap.Ethernet)
        {
            throw new LinkException(
                LinkFault.Network,
                $"{_interface} is not an Ethernet interface (its frames have no Ethernet header): choose another interface or the udp link");
        }
    }

    private void Prepare(PcapOptions options)
    {
        SetFilter(options.Filter);
        byte* error = stackalloc byte[LibPcap.ErrorBufferSize];
        if (LibPcap.SetDirection(_pcap, LibPcap.DirectionIn) != 0)
            throw Refused("the direction");
        if (LibPcap.SetNonBlocking(_pcap, 1, error) != 0)
            throw new LinkException(LinkFault.Other, $"libpcap refuses non-blocking mode on {_interface}: {LibPcap.Text(error)}");
        Descriptor = LibPcap.SelectableDescriptor(_pcap);
        if (Descriptor < 0)
            throw new LinkException(LinkFault.Other, $"libpcap gives no descriptor to wait on for {_interface}");

        // The direction filter works after the fact; this one keeps the kernel from copying what the host sends. Since Linux 4.20.
        Libc.TrySetOption(Descriptor, Linux.SOL_PACKET, Linux.PACKET_IGNORE_OUTGOING, 1);
        Libc.TrySetOption(Descriptor, Linux.SOL_SOCKET, Linux.SO_SNDBUFFORCE, SendBufferBytes);
    }

    private void SetFilter(string filter)
    {
        LibPcap.Program program;
        if (LibPcap.Compile(_pcap, &program, filter, 1, LibPcap.NetmaskUnknown) != 0)
            throw Refused($"the filter \"{filter}\"");
        int status = LibPcap.SetFilter(_pcap, &program);
        LibPcap.FreeCode(&program);
        if (status != 0)
            throw Refused($"the filter \"{filter}\"");
    }

    private LinkException Refused(string what) =>
        new(LinkFault.Other, $"libpcap refuses {what} on {_interface}: {LibPcap.Text(LibPcap.GetError(_pcap))}");

    private string Detail(int status)
    {
        string known = LibPcap.Text(LibPcap.StatusToString(status));
        string detail = LibPcap.Text(LibPcap.GetError(_pcap));
        return detail.Length == 0 || detail == known ? known : $"{known}: {detail}";
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnPacket(byte* user, LibPcap.PacketHeader* header, byte* data)
    {
        var capture = Unsafe.As<PcapCapture>(GCHandle.FromIntPtr((nint)user).Target!);
        capture.Deliver(header, data);
    }

    private void Deliver(LibPcap.PacketHeader* header, byte* data)
    {
        if (_thrown is not null)
            return;

        if (header->CapturedLength < header->Length)
        {
            _truncated++;
            return;
        }

        _frames++;
        _bytes += header->CapturedLength;
        try
        {
            _sink!.OnFrame(new ReadOnlySpan<byte>(data, (int)header->CapturedLength), default, 0);
        }
        catch (Exception e)
        {
            _thrown = e;
            LibPcap.BreakLoop(_pcap);
        }
    }
}

/// <summary>What one <see cref="PcapCapture.Dispatch"/> did.</summary>
internal readonly record struct DispatchResult(int Frames, long Bytes, int Truncated);
