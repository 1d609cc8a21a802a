"""Invented sentences of the demo brand and its rivals, by what a post is about. Slots are filled by demo_world.py."""

from __future__ import annotations

BRAND, RIVAL, SMALL_RIVAL = "暖芽", "橙屿", "沐禾"
PRODUCTS = {
    BRAND: ("恒温水壶", "暖奶器", "小厨锅", "空气循环扇", "加湿器"),
    RIVAL: ("破壁机", "恒温水壶", "空气炸锅", "养生壶"),
    SMALL_RIVAL: ("电饭煲", "加湿器", "小厨锅"),
}
COLOURS = ("奶白色", "雾蓝色", "浅绿色", "燕麦色", "樱花粉")
CITIES = ("杭州", "成都", "长沙", "西安", "青岛", "合肥", "南宁", "哈尔滨", "厦门", "郑州", "昆明", "沈阳")
REGIONS = ("浙江", "四川", "湖南", "陕西", "山东", "安徽", "广西", "黑龙江", "福建", "河南", "云南", "辽宁")

# each list: opening, middle, end; one of each makes a post
NEGATIVE = {
    "quality": (
        ("{brand}{product}用了{days}天就坏了", "才买{days}天的{brand}{product}不加热了", "{brand}这个{product}质量太差", "后悔买了{brand}的{product}"),
        ("指示灯乱闪,按哪个键都没反应", "内胆掉漆,水里全是碎屑", "声音大得像拖拉机", "盖子合不上,一直漏水", "温度显示不准,差了十几度", "塑料味熏得头疼", "底部一圈锈迹"),
        ("太让人失望了", "再也不会买了", "这做工真的不行", "{price}块钱就这水平", "避雷吧各位", "第一次给差评"),
    ),
    "service": (
        ("{brand}的客服真是一言难尽", "找{brand}客服{calls}次都没人管", "{brand}售后态度恶劣", "联系{brand}官方店没有任何回应"),
        ("问就是让等,等了{days}天没消息", "机器人来回说一样的话", "让我自己出运费寄回检测", "说是人为损坏不给保修", "工单直接给我关了", "电话一直排队打不进去"),
        ("气死我了", "就这服务还大品牌呢", "店大欺客", "推卸责任第一名", "体验差到极点", "心寒"),
    ),
    "refund": (
        ("{brand}退款拖了{days}天", "在{brand}买的{product}申请退货被拒", "{brand}七天无理由就是个摆设", "{brand}答应退的{price}元一直不到账"),
        ("客服说财务在处理,每次都是这句话", "拆了包装就不给退", "要我提供视频又说视频不合格", "平台介入也没用", "说好三个工作日"),
        ("还钱", "有没有一样情况的", "这不是耍赖吗", "要求马上退款", "真的很无语"),
    ),
    "logistics": (
        ("{brand}发货太慢", "{brand}的{product}拍下{days}天还没发", "收到{brand}的快递包装全烂了", "{brand}给我发错货了"),
        ("问客服只会说在催", "预售时间改了又改", "里面的{product}磕掉一块", "订的{colour}发来别的颜色", "物流停在{city}不动了"),
        ("不敢再买了", "差评", "太糟心", "耽误事", "体验很差"),
    ),
    "app": (
        ("{brand}智家更新以后老是闪退", "{brand}的App连不上{product}", "{brand}这个应用广告太多", "{brand}智家一打开就卡死"),
        ("重装三次都没用", "定时功能经常失灵", "每次都要重新登录", "开屏广告关不掉", "固件升级到一半变砖"),
        ("垃圾软件", "别更新", "开发的人自己用吗", "一星都嫌多", "难用"),
    ),
}  # fmt: skip
POSITIVE = (
    ("{brand}{product}用了一个月,真心喜欢", "入手{brand}的{colour}{product},颜值在线", "第二次买{brand}了", "给爸妈买的{brand}{product}", "{brand}这个{product}性价比高"),
    ("烧水很快,声音也小", "温度很准,冲奶粉正好", "客服很耐心,还帮忙改了地址", "做工扎实,清洗方便", "包装仔细,第二天就到了{city}", "操作简单,老人一看就会"),
    ("推荐", "好评", "会回购的", "满意", "对得起这个价", "全家都说好用"),
)  # fmt: skip
NEUTRAL = (
    ("今天在{city}商场看到{brand}的{product}", "{brand}{product}有{colour}的了", "同事在用{brand}的{product}", "整理厨房,{brand}{product}放在窗边", "收到{brand}的{product},还没拆"),
    ("标价{price}元", "和去年那款外形差不多", "说明书写着容量一点五升", "占地方不大", "周末再试试"),
    ("记录一下", "先放着", "日常分享", "随手拍", "就这样"),
)  # fmt: skip
QUESTION = (
    ("{brand}{product}和{rival}的哪个好", "请问{brand}{product}支持几档温度", "有人用过{brand}的{product}吗", "{brand}{product}的滤网去哪里买", "{brand}{product}怎么配网"),
    ("准备给宝宝冲奶用", "预算{price}以内", "家里是软水", "租房用", "第一次买这类电器"),
    ("求推荐", "谢谢大家", "在线等", "有知道的吗", "求解答"),
)  # fmt: skip
# the same question asked again and again: rises through the weeks
REPEATED_QUESTION = (
    "{brand}恒温水壶的保温时间怎么调到24小时",
    "请问{brand}恒温水壶保温能设24小时吗",
    "{brand}恒温水壶怎么设置保温24小时?说明书没写",
)
SUGGESTION = (
    ("建议{brand}{product}", "希望{brand}下一代{product}", "{brand}{product}要是", "给{brand}提个建议:{product}"),
    ("加一个静音模式", "出一个{price}毫升的大容量款", "把提示音做成可以关的", "在App里能看到用电量", "配一根长一点的电源线", "单卖密封圈"),
    ("就更好了", "很多人都有这个需要", "夜里用会方便很多", "谢谢产品经理", "我会第一时间买"),
)  # fmt: skip
# a theme that rises in the last two weeks
RISING_SUGGESTION = (
    ("希望{brand}恒温水壶", "建议{brand}恒温水壶", "{brand}恒温水壶能不能", "求{brand}恒温水壶"),
    ("出可拆洗的壶盖", "把壶盖做成可以拆下来洗的", "壶盖改成可拆卸", "让盖子能拆开清洁"),
    ("现在缝里藏水垢", "缝隙根本刷不到", "洗起来太费劲", "别家都可以拆了", "宝妈真的需要"),
)  # fmt: skip
CRISIS = (
    ("{brand}恒温水壶底座起火了", "半夜{brand}恒温水壶冒烟烧焦了台面", "{brand}恒温水壶自燃", "家里的{brand}恒温水壶底座突然着火", "{brand}恒温水壶漏电,手被电到发麻", "看到{brand}恒温水壶起火的视频,和我家同一款"),
    ("幸好人在家,插座都烧黑了", "孩子就在旁边,吓得我腿软", "满屋子焦味,墙熏黑一片", "联系客服只说登记,没有下文", "买了才{days}天,完全没有干烧", "底座已经烧化,拍了照片", "邻居帮忙才扑灭", "{city}的,同一批次"),
    ("这是要出人命的", "必须召回", "给个说法", "家里有同款的赶紧拔掉插头", "要求赔偿", "太可怕了", "相关部门管管吧", "还有谁敢用"),
)  # fmt: skip
CRISIS_NEWS = (
    ("多名消费者称{brand}恒温水壶底座起火,企业:正在核实", "11月14日,多名网友反映{brand}恒温水壶在使用中冒烟、起火。{brand}客服表示已收到反馈,正在核实。"),
    ("{brand}恒温水壶被曝起火,涉事批次仍在售", "记者查询发现,被反映起火的{brand}恒温水壶同批次产品在部分平台仍可下单。"),
    ("{brand}回应水壶起火:成立专项小组,建议暂停使用", "{brand}发布说明称已成立专项小组,建议用户暂停使用相关批次水壶,后续将公布检测结果。"),
    ("{city}市场监管部门介入{brand}水壶起火事件", "{city}市场监管部门表示已约谈{brand},将对相关批次产品抽样检验。"),
)  # fmt: skip
NEWS = (
    ("{brand}发布新款{product}", "{brand}今日发布新款{product},提供三种颜色,售价{price}元起。"),
    ("小家电行业三季度报告发布", "报告显示,{brand}、{rival}等品牌的线上销量保持平稳,{product}品类增长较快。"),
    ("{brand}在{city}开设体验店", "{brand}第{days}家体验店在{city}开业,店内可以试用{product}等产品。"),
    ("双11预售开启,{brand}等品牌公布活动", "多家品牌公布双11活动安排,{brand}{product}参加满减。"),
)  # fmt: skip
AD = (
    "【{brand}{product}】限时{price}元包邮,点击领券,数量有限先到先得!需要的加V:nuan{days}88",
    "全新未拆{brand}{product}低价转,{price}包邮,{city}可自提",
    "{brand}官方福利群,进群抽{product}一台,转发这条即可参与",
)
# copied word for word by many accounts
COPIED = "姐妹们快看!{brand}{product}直播间今晚半价,前一百名再送养生杯,错过等一年,赶紧去蹲"
REPOST = "转发微博//@路过的猫:{text}"
PERSONAL = (
    "我的电话13{digits},急需处理",
    "订单号2026{digits}{digits}",
    "联系邮箱user{days}@example.com",
    "微信号同手机13{digits}",
)
# board entries of merchants nobody watches here
NOISE_TARGETS = ("飞牛出行", "蓝鲸健身", "豆角外卖", "星河旅行", "木栈租房", "小鹿学堂", "青橙话费")
NOISE = (
    ("{target}会员自动续费不退", "{target}取消订单不退押金", "{target}拒绝开发票", "{target}虚假宣传"),
    ("扣了{price}元,客服不处理", "等了{days}天没有结果", "承诺的服务没有兑现"),
    ("要求退款", "请平台监督", "要求道歉并赔偿"),
)  # fmt: skip
ISSUES = {
    "quality": "质量问题",
    "service": "服务态度差",
    "refund": "不予退款",
    "logistics": "发货延迟",
    "app": "软件故障",
    "crisis": "存在安全隐患",
}
