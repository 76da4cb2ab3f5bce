using System.Reflection;
using System.Runtime.InteropServices;

namespace Tunnel.Links.Pcap;

/// <summary>libpcap as it is, found at run time: a machine that uses another link need not have it.</summary>
internal static unsafe partial class LibPcap
{
    internal const int ErrorBufferSize = 256;
    internal const int DirectionIn = 1;
    internal const int Ethernet = 1;
    internal const uint NetmaskUnknown = 0xFFFFFFFF;

    internal const int NoSuchDevice = -5;
    internal const int PermissionDenied = -8;
    internal const int InterfaceNotUp = -9;
    internal const int PromiscuousPermissionDenied = -11;
    internal const int CaptureNotSupported = -12;
    internal const int BrokenLoop = -2;

    private const string Library = "pcap";

    private static readonly string[] Names = ["libpcap.so.1", "libpcap.so.0.8", "libpcap.so"];
    private static readonly Lazy<nint> Loaded = new(Load);

    static LibPcap() => NativeLibrary.SetDllImportResolver(typeof(LibPcap).Assembly, Resolve);

    /// <summary>True if the library is there.</summary>
    internal static bool IsAvailable => Loaded.Value != 0;

    /// <summary>Throws what a person needs to know when the library is not there.</summary>
    internal static void Require()
    {
        if (!IsAvailable)
            throw Missing(Names);
    }

    internal static LinkException Missing(IEnumerable<string> names) => new(
        LinkFault.MissingDependency,
        $"libpcap is not installed (tried {string.Join(", ", names)}): install the package libpcap0.8 (Debian, Ubuntu) or libpcap "
        + "(Fedora, Alpine), or choose another link");

    private static nint Load()
    {
        foreach (string name in Names)
        {
            if (NativeLibrary.TryLoad(name, out nint handle))
                return handle;
        }

        return 0;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == Library ? Loaded.Value : 0;

    [LibraryImport(Library, EntryPoint = "pcap_create", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint Create(string device, byte* error);

    [LibraryImport(Library, EntryPoint = "pcap_lib_version")]
    internal static partial nint Version();

    [LibraryImport(Library, EntryPoint = "pcap_set_snaplen")]
    internal static partial int SetSnapLength(nint pcap, int bytes);

    [LibraryImport(Library, EntryPoint = "pcap_set_promisc")]
    internal static partial int SetPromiscuous(nint pcap, int on);

    [LibraryImport(Library, EntryPoint = "pcap_set_immediate_mode")]
    internal static partial int SetImmediateMode(nint pcap, int on);

    [LibraryImport(Library, EntryPoint = "pcap_set_timeout")]
    internal static partial int SetTimeout(nint pcap, int milliseconds);

    [LibraryImport(Library, EntryPoint = "pcap_set_buffer_size")]
    internal static partial int SetBufferSize(nint pcap, int bytes);

    [LibraryImport(Library, EntryPoint = "pcap_activate")]
    internal static partial int Activate(nint pcap);

    [LibraryImport(Library, EntryPoint = "pcap_geterr")]
    internal static partial byte* GetError(nint pcap);

    [LibraryImport(Library, EntryPoint = "pcap_statustostr")]
    internal static partial byte* StatusToString(int status);

    [LibraryImport(Library, EntryPoint = "pcap_close")]
    internal static partial void Close(nint pcap);

    [LibraryImport(Library, EntryPoint = "pcap_datalink")]
    internal static partial int DataLink(nint pcap);

    [LibraryImport(Library, EntryPoint = "pcap_compile", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Compile(nint pcap, Program* program, string expression, int optimize, uint netmask);

    [LibraryImport(Library, EntryPoint = "pcap_setfilter")]
    internal static partial int SetFilter(nint pcap, Program* program);

    [LibraryImport(Library, EntryPoint = "pcap_freecode")]
    internal static partial void FreeCode(Program* program);

    [LibraryImport(Library, EntryPoint = "pcap_setdirection")]
    internal static partial int SetDirection(nint pcap, int direction);

    [LibraryImport(Library, EntryPoint = "pcap_setnonblock")]
    internal static partial int SetNonBlocking(nint pcap, int on, byte* error);

    [LibraryImport(Library, EntryPoint = "pcap_get_selectable_fd")]
    internal static partial int SelectableDescriptor(nint pcap);

    [LibraryImport(Library, EntryPoint = "pcap_dispatch")]
    internal static partial int Dispatch(
        nint pcap, int count, delegate* unmanaged[Cdecl]<byte*, PacketHeader*, byte*, void> callback, void* user);

    [LibraryImport(Library, EntryPoint = "pcap_breakloop")]
    internal static partial void BreakLoop(nint pcap);

    [LibraryImport(Library, EntryPoint = "pcap_inject", SetLastError = true)]
    internal static partial int Inject(nint pcap, void* data, nuint length);

    [LibraryImport(Library, EntryPoint = "pcap_stats")]
    internal static partial int Statistics(nint pcap, Stats* stats);

    internal static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? string.Empty;

    /// <summary>struct pcap_pkthdr: a struct timeval of two longs, then the captured and the real length.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct PacketHeader
    {
        internal nint Seconds;
        internal nint Microseconds;
        internal uint CapturedLength;
        internal uint Length;
    }

    /// <summary>struct bpf_program.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Program
    {
        internal uint Length;
        internal void* Instructions;
    }

    /// <summary>struct pcap_stat.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Stats
    {
        internal uint Received;
        internal uint Dropped;
        internal uint DroppedByInterface;
    }
}
