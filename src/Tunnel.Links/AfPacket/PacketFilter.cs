using System.Runtime.InteropServices;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>
/// The kernel's filter (classic BPF): TCP to a range of ports, over IPv4 that is no fragment or over IPv6 without extension headers.
/// The kernel takes a VLAN tag out of the frame before the filter sees it, so tagged frames pass like others.
/// </summary>
internal static class PacketFilter
{
    // Classic BPF's operations; A is the accumulator, X the index register.
    internal const ushort LoadHalf = 0x28;
    internal const ushort LoadByte = 0x30;
    internal const ushort LoadHalfIndexed = 0x48;
    internal const ushort LoadIPv4HeaderLength = 0xB1;
    internal const ushort Jump = 0x05;
    internal const ushort JumpEqual = 0x15;
    internal const ushort JumpGreater = 0x25;
    internal const ushort JumpGreaterOrEqual = 0x35;
    internal const ushort JumpAnyBit = 0x45;
    internal const ushort Return = 0x06;

    private const int EtherType = 12;
    private const int IP = 14;
    private const int IPv4Fragment = IP + 6;
    private const int IPv4Protocol = IP + 9;
    private const int IPv6NextHeader = IP + 6;
    private const int IPv6Tcp = IP + 40;
    private const int DestinationPort = 2;
    private const uint MoreFragmentsOrOffset = 0x3FFF;
    private const int SourcePort = 0;
    private const uint Tcp = 6;
    private const uint Udp = 17;

    // Where the program's parts begin; jumps count from the instruction behind them.
    private const int IPv6Part = 9;
    private const int PortPart = 13;
    private const int Accept = 15;
    private const int Refuse = 16;

    internal static FilterInstruction[] Build(int firstPort, int lastPort) =>
    [
        new(LoadHalf, EtherType),
        If(1, JumpEqual, ETH_P_IP, 2, IPv6Part),
        new(LoadByte, IPv4Protocol),
        If(3, JumpEqual, Tcp, 4, Refuse),
        new(LoadHalf, IPv4Fragment),
        If(5, JumpAnyBit, MoreFragmentsOrOffset, Refuse, 6),
        new(LoadIPv4HeaderLength, IP),
        new(LoadHalfIndexed, IP + DestinationPort),
        new(Jump, PortPart - 9),
        If(9, JumpEqual, ETH_P_IPV6, 10, Refuse),
        new(LoadByte, IPv6NextHeader),
        If(11, JumpEqual, Tcp, 12, Refuse),
        new(LoadHalf, IPv6Tcp + DestinationPort),
        If(13, JumpGreaterOrEqual, (uint)firstPort, 14, Refuse),
        If(14, JumpGreater, (uint)lastPort, Refuse, Accept),
        new(Return, uint.MaxValue),
        new(Return, 0),
    ];

    /// <summary>TCP and UDP with the source or the destination port in the range.</summary>
    internal static FilterInstruction[] BuildTap(int firstPort, int lastPort)
    {
        const int v6 = 14, accept = 24, refuse = 25;
        (uint first, uint last) = ((uint)firstPort, (uint)lastPort);
        return
        [
            new(LoadHalf, EtherType),
            If(1, JumpEqual, ETH_P_IP, 2, v6),
            new(LoadByte, IPv4Protocol),
            If(3, JumpEqual, Tcp, 5, 4),
            If(4, JumpEqual, Udp, 5, refuse),
            new(LoadHalf, IPv4Fragment),
            If(6, JumpAnyBit, MoreFragmentsOrOffset, refuse, 7),
            new(LoadIPv4HeaderLength, IP),
            new(LoadHalfIndexed, IP + DestinationPort),
            If(9, JumpGreaterOrEqual, first, 10, 11),
            If(10, JumpGreater, last, 11, accept),
            new(LoadHalfIndexed, IP + SourcePort),
            If(12, JumpGreaterOrEqual, first, 13, refuse),
            If(13, JumpGreater, last, refuse, accept),
            If(14, JumpEqual, ETH_P_IPV6, 15, refuse),
            new(LoadByte, IPv6NextHeader),
            If(16, JumpEqual, Tcp, 18, 17),
            If(17, JumpEqual, Udp, 18, refuse),
            new(LoadHalf, IPv6Tcp + DestinationPort),
            If(19, JumpGreaterOrEqual, first, 20, 21),
            If(20, JumpGreater, last, 21, accept),
            new(LoadHalf, IPv6Tcp + SourcePort),
            If(22, JumpGreaterOrEqual, first, 23, refuse),
            If(23, JumpGreater, last, refuse, accept),
            new(Return, uint.MaxValue),
            new(Return, 0),
        ];
    }

    private static FilterInstruction If(int at, ushort code, uint value, int then, int otherwise) =>
        new(code, value) { JumpTrue = (byte)(then - at - 1), JumpFalse = (byte)(otherwise - at - 1) };
}

/// <summary>struct sock_filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FilterInstruction(ushort code, uint value)
{
    internal ushort Code = code;
    internal byte JumpTrue;
    internal byte JumpFalse;
    internal uint Value = value;
}

/// <summary>struct sock_fprog on 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FilterProgram
{
    internal ushort Length;
    internal FilterInstruction* Instructions;
}
