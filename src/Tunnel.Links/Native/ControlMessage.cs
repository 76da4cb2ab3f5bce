using System.Runtime.InteropServices;

namespace Tunnel.Links.Native;

/// <summary>struct cmsghdr with up to eight bytes of data, as it lies beside a message. 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlMessage
{
    /// <summary>Bytes in the header, before the data.</summary>
    internal const int HeaderLength = 16;

    internal nuint Length;
    internal int Level;
    internal int Type;
    internal ulong Data;
}
