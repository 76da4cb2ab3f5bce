using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Sessions;

/// <summary>Headers as peers write them, and what they mean. A flags list is compared by its text.</summary>
internal static class HeaderVectors
{
    public const string GobDefinitions =
        "2f7f0301010550726f746f01ff8000010301045479706501060001044164647201ff820001045443504601ff86000000"
        + "24ff81030101044164647201ff820001020104486f7374010c000104506f72740104000000"
        + "1aff850201010b5b5d636f6e662e5443504601ff860001ff840000"
        + "59ff83030101045443504601ff84000109010346494e010200010353594e0102000103525354010200010350534801020001"
        + "0341434b01020001035552470102000103454345010200010343575201020001024e530102000000";

    public static TheoryData<HeaderFormat, string, StreamRequest, string> All => new()
    {
        { HeaderFormat.V1, "5001010000", StreamRequest.Ping, "" },
        { HeaderFormat.V1, "5001020000", StreamRequest.Pong, "" },
        { HeaderFormat.V1, "500104000e0b6578616d706c652e636f6d01bb", StreamRequest.Tcp, "example.com:443" },
        { HeaderFormat.V1, "500105000a07382e382e382e380035", StreamRequest.Udp, "8.8.8.8:53" },
        { HeaderFormat.V1, "5001050006033a3a310035", StreamRequest.Udp, "[::1]:53" },
        { HeaderFormat.V1, "50010300050200180010", StreamRequest.Flags, "18 10" },
        { HeaderFormat.V1, "500103000100", StreamRequest.Flags, "" },
        { HeaderFormat.V1, "5001120000", StreamRequest.Goodbye, "" },
        { HeaderFormat.V1, "50011000040000000f", StreamRequest.Capabilities, "0000000f" },
        { HeaderFormat.V1, "500111000e0b6578616d706c652e636f6d01bb", StreamRequest.Dial, "example.com:443" },
        {
            HeaderFormat.V1,
            "5001180027000102030405060708090a0b0c0d0e0f000000070100000d3139322e3136382e302e323530" + "1f90",
            StreamRequest.Reverse,
            "102030405060708090a0b0c0d0e0f 7 256 tcp 192.168.0.250:8080"
        },
        {
            HeaderFormat.V1, "500119001d" + "0000000000000000000000000000000000000001" + "000201" + "033a3a31c000", StreamRequest.Connection, "0 1 2 udp [::1]:49152"
        },
        { HeaderFormat.V3, "0100", StreamRequest.Ping, "" },
        { HeaderFormat.V3, "0200", StreamRequest.Pong, "" },
        { HeaderFormat.V3, "0401000b6578616d706c652e636f6d01bb", StreamRequest.Tcp, "example.com:443" },
        { HeaderFormat.V3, "05010007382e382e382e380035", StreamRequest.Udp, "8.8.8.8:53" },
        { HeaderFormat.V3, "03020200180010", StreamRequest.Flags, "18 10" },
        { HeaderFormat.Gob, GobDefinitions + "05ff80010100", StreamRequest.Ping, "" },
        { HeaderFormat.Gob, GobDefinitions + "05ff80010200", StreamRequest.Pong, "" },
        { HeaderFormat.Gob, GobDefinitions + "18ff80010401010b6578616d706c652e636f6d01fe03760000", StreamRequest.Tcp, "example.com:443" },
        { HeaderFormat.Gob, GobDefinitions + "12ff800105010107382e382e382e38016a0000", StreamRequest.Udp, "8.8.8.8:53" },
        { HeaderFormat.Gob, GobDefinitions + "0cff8001030201040101010000", StreamRequest.Flags, "18" },
        { HeaderFormat.Gob, GobDefinitions + "12ff8001030203020100040101010005010000", StreamRequest.Flags, "2 18 10" },
    };

    /// <summary>What a header says, as the table has it.</summary>
    public static string Meaning(StreamHeader header) => header.Request switch
    {
        StreamRequest.Flags => string.Join(' ', header.Flags!.Select(f => $"{f:x}")),
        StreamRequest.Tcp or StreamRequest.Udp or StreamRequest.Dial => header.Target.ToString(),
        StreamRequest.Reverse or StreamRequest.Connection =>
            $"{header.Reverse.Client:x} {header.Reverse.Number} {header.Reverse.Session} {(header.Reverse.IsUdp ? "udp" : "tcp")} {header.Target}",
        StreamRequest.Capabilities => $"{(uint)header.Capabilities:x8}",
        _ => "",
    };
}
