using Tunnel.Links.Memory;

namespace Tunnel.Tests.Links;

public sealed class MemoryLinkTests
{
    [Fact]
    public void Runs_cross_both_ways_with_the_other_ends_address()
    {
        (MemoryLink left, MemoryLink right) = MemoryLink.CreatePair(new MemoryWireOptions { DelayNanoseconds = 3_000_000 }, 1);
        using (left)
        using (right)
        {
            Assert.Equal(3, left.Send("aabbc"u8, 2, left.RemoteAddress));
            var got = new FrameCollector();
            got.ReceiveAll(right, 3);
            Assert.Equal(["aa"u8.ToArray(), "bb"u8.ToArray(), "c"u8.ToArray()], got.Frames);
            Assert.Equal(left.LocalAddress.ToArray(), got.Addresses[0]);

            right.Send("back"u8, 4, got.Addresses[0]);
            var back = new FrameCollector();
            back.ReceiveAll(left, 1);
            Assert.Equal("back"u8.ToArray(), Assert.Single(back.Frames));
            Assert.Equal(3, left.Counters.PacketsOut);
            Assert.Equal(3, right.Counters.PacketsIn);
        }
    }

    [Fact]
    public void Wake_and_send_end_a_wait()
    {
        (MemoryLink left, MemoryLink right) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        using (left)
        using (right)
        {
            left.Wake();
            Assert.Equal(0, left.Receive(new FrameCollector(), 60_000));

            var got = new FrameCollector();
            var receiver = new Thread(() => got.ReceiveAll(left, 1));
            receiver.Start();
            right.Send("x"u8, 1, default);
            receiver.Join();
            Assert.Single(got.Frames);
        }
    }

    [Fact]
    public void Faults_change_while_it_runs()
    {
        (MemoryLink left, MemoryLink right) = MemoryLink.CreatePair(new MemoryWireOptions { Loss = 1 }, 1);
        using (left)
        using (right)
        {
            left.Send("lost"u8, 4, default);
            left.ChangeOutgoing(o => o.StopFaults());
            left.Send("kept"u8, 4, default);
            var got = new FrameCollector();
            got.ReceiveAll(right, 1);
            Assert.Equal("kept"u8.ToArray(), Assert.Single(got.Frames));
            Assert.Equal(1, left.OutgoingWire.Lost);
        }
    }

    [Fact]
    public void Closed_end_says_so()
    {
        (MemoryLink left, MemoryLink right) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        left.Dispose();
        right.Dispose();
        Assert.Throws<ObjectDisposedException>(() => left.Receive(new FrameCollector(), 60_000));
        Assert.Equal(0, left.Send("x"u8, 1, default));
    }
}
