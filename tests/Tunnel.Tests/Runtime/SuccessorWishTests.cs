using Tunnel.App.Runtime;

namespace Tunnel.Tests.Runtime;

public class SuccessorWishTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void OneAtATime()
    {
        var wish = new SuccessorWish();
        Assert.True(wish.TryMake(unlessHeard: true));
        Assert.False(wish.TryMake(unlessHeard: false));
        Assert.Equal((true, false), (wish.Holds(isHeard: false), wish.Holds(isHeard: true)));
        wish.Insist();
        Assert.True(wish.Holds(isHeard: true));
        wish.Clear();
        Assert.False(wish.Made.IsCompleted);
        Assert.True(wish.TryMake(unlessHeard: true));
    }

    [Fact(Timeout = 60_000)]
    public async Task WhoeverSeesItSeesWhatItIs()
    {
        var wish = new SuccessorWish();
        for (int i = 0; i < 2000; i++)
        {
            // What it was before must not be taken for what it is.
            wish.TryMake(unlessHeard: true);
            wish.Clear();
            Task awaiting = AwaitAsync(wish.Made);
            using var ready = new Barrier(2);
            Task<bool> seen = Task.Run(() => Look(wish, ready), Cancel);
            ready.SignalAndWait(Cancel);
            Assert.True(wish.TryMake(unlessHeard: false));
            Assert.True(await seen);
            await awaiting;
            wish.Clear();
        }
    }

    private static async Task AwaitAsync(Task made) => await made;

    private static bool Look(SuccessorWish wish, Barrier ready)
    {
        ready.SignalAndWait();
        SpinWait.SpinUntil(() => wish.Made.IsCompleted);
        return wish.Holds(isHeard: true);
    }
}
