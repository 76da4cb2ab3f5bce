using System.Runtime.InteropServices;

namespace Tunnel.Links.Pcap;

/// <summary>Whether libpcap is on this machine, and which.</summary>
public static class PcapLibrary
{
    /// <summary>What it says about itself: "libpcap version 1.10.5 (with TPACKET_V3)"; null when it is not installed.</summary>
    public static string? Version => LibPcap.IsAvailable ? Marshal.PtrToStringUTF8(LibPcap.Version()) : null;
}
